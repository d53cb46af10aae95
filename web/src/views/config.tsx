// Configuration: what is in force, without its secrets, and what the last reload made another.
import { useComputed } from '@preact/signals';
import { clock } from '../format.ts';
import { t } from '../i18n/index.ts';
import { Act } from '../parts/act.tsx';
import { useFetched } from '../parts/fetched.ts';
import { Scroll } from '../parts/scroll.tsx';
import { Section } from '../parts/section.tsx';
import { type ConfigLine, configLines, shownValue } from '../state/config-lines.ts';

interface Answer {
  file: string;
  loadedAt: string;
  config: Record<string, unknown>;
  lastReload: {
    at: string;
    error: string | null;
    diff: Record<string, unknown> | null;
    changes: { path: string; before: unknown; after: unknown }[];
  } | null;
}

export function Configuration() {
  const answer = useFetched<Answer>('/api/v1/config', 3000);
  const { data, error } = answer.value;
  const text = useComputed(() => JSON.stringify(answer.value.data?.config ?? null));
  const lines = useComputed(() => configLines(JSON.parse(text.value)));
  return (
    <>
      <div class="toolbar">
        <h2>{t('nav.config')}</h2>
        <span class="spacer" />
        <Act path="/api/v1/reload" body={{}} class="primary" done={t('config.reloaded')}>
          {t('config.reload')}
        </Act>
      </div>
      {error !== null && <p class="banner tone-warn">{t('failed', { why: error })}</p>}
      {data && (
        <>
          <Section title={t('config.last')} note={data.lastReload ? clock(data.lastReload.at) : undefined}>
            <LastReload of={data.lastReload} />
          </Section>
          <Section
            title={t('config.now')}
            note={`${data.file} · ${t('config.read', { time: clock(data.loadedAt) })}`}
          >
            <Lines lines={lines.value} />
          </Section>
        </>
      )}
    </>
  );
}

function Lines({ lines }: { lines: ConfigLine[] }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard (axe: scrollable-region-focusable)
    <pre class="card config" tabIndex={0}>
      {lines.map(({ depth, item, key, value, kind }, i) => (
        <div key={i} class={depth === 0 ? 'top' : undefined}>
          {'  '.repeat(depth)}
          {item && '- '}
          {key !== null && (
            <>
              <span class="config-key">{key}</span>:{value !== null && ' '}
            </>
          )}
          {value !== null && <span class={`config-${kind}`}>{value}</span>}
        </div>
      ))}
    </pre>
  );
}

function LastReload({ of }: { of: Answer['lastReload'] }) {
  if (!of) return <p class="note">{t('config.never')}</p>;
  if (of.error !== null) {
    return (
      <>
        <p class="tone-down">{t('config.refused')}</p>
        <pre class="card config">{of.error}</pre>
      </>
    );
  }
  if (of.changes.length === 0) return <p class="note">{t('config.same')}</p>;
  return (
    <Scroll label={t('config.last')}>
      <table class="dense">
        <thead>
          <tr>
            <th>{t('config.value')}</th>
            <th>{t('config.before')}</th>
            <th>{t('config.after')}</th>
          </tr>
        </thead>
        <tbody>
          {of.changes.map(({ path, before, after }) => (
            <tr key={path}>
              <th scope="row">
                <code>{path}</code>
              </th>
              <td class="wrap">{before !== null && <del>{shown(path, before)}</del>}</td>
              <td class="wrap">{after !== null && <ins>{shown(path, after)}</ins>}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function shown(path: string, value: unknown): string {
  return shownValue(path.split('.').at(-1)!, value)?.text ?? JSON.stringify(value);
}
