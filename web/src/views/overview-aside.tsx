// What else is there: checks in one line each, sinks, and the registry where there is one.
import { count, latency, size } from '../format.ts';
import { t } from '../i18n/index.ts';
import { Section } from '../parts/section.tsx';
import { State } from '../parts/state.tsx';
import { status } from '../state/live.ts';
import { linkTo } from '../state/route.ts';

export function Aside() {
  const is = status.value!;
  return (
    <div class="columns">
      {is.checks.length > 0 && (
        <Section title={t('checks')} note={String(is.checks.length)}>
          <ul class="plain-list">
            {is.checks.map(({ name, verdict, ms, url }) => (
              <li key={name}>
                <a href={linkTo('checks', name)}>{name}</a>
                <State of={verdict} />
                <code class="note">{url}</code>
                <span class="r num">{latency(ms)}</span>
              </li>
            ))}
          </ul>
        </Section>
      )}
      {is.sinks.length > 0 && (
        <Section title={t('sinks')} note={String(is.sinks.length)}>
          <ul class="plain-list">
            {is.sinks.map(({ name, kind, accepted, delivered, bytes }) => (
              <li key={name}>
                <strong>{name}</strong>
                <span class="note">{kind}</span>
                <span>{t('records', { count: count(delivered) })}</span>
                {accepted > delivered && (
                  <span class="tone-warn">{t('waiting', { count: count(accepted - delivered) })}</span>
                )}
                <span class="r num">{size(bytes)}</span>
              </li>
            ))}
          </ul>
        </Section>
      )}
      {is.registry && <Registry state={{ ...is.registry }} />}
    </div>
  );
}

/** Whatever the registry tells of itself, one value a line. */
function Registry({ state }: { state: Record<string, unknown> }) {
  return (
    <Section title={t('registry')}>
      <dl class="facts wide">
        {Object.entries(state)
          .filter(([, value]) => typeof value !== 'object' || value === null)
          .map(([key, value]) => (
            <div key={key}>
              <dt>{key}</dt>
              <dd>{value === null ? '–' : String(value)}</dd>
            </div>
          ))}
      </dl>
    </Section>
  );
}
