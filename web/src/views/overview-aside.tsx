// What else is there: checks in one line each, sinks, and the registry where there is one.
import { clock, count, latency, size } from '../format.ts';
import { t } from '../i18n/index.ts';
import { Section } from '../parts/section.tsx';
import { State } from '../parts/state.tsx';
import { status } from '../state/live.ts';
import { linkTo } from '../state/route.ts';
import type { DaemonStatus } from '../state/types.ts';

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
            {is.sinks.map(({ name, kind, accepted, delivered, bytes, failure, note }) => (
              <li key={name}>
                <strong>{name}</strong>
                <span class="note">{kind}</span>
                <span>{t('records', { count: count(delivered) })}</span>
                {failure !== null && <span class="tone-down">{failure}</span>}
                {note !== null && <span class="note">{note}</span>}
                {accepted > delivered && (
                  <span class="tone-warn">{t('waiting', { count: count(accepted - delivered) })}</span>
                )}
                <span class="r num">{size(bytes)}</span>
              </li>
            ))}
          </ul>
        </Section>
      )}
      {is.registry && is.registry.kind !== 'embedded' && <Registry of={is.registry} />}
    </div>
  );
}

function Registry({ of }: { of: DaemonStatus['registry'] }) {
  return (
    <Section title={t('registry')} note={`${of.kind} ${of.address ?? ''}`}>
      <ul class="plain-list">
        <li>
          <State of={of.state} tone={of.state === 'ok' ? 'up' : 'down'} />
          {of.detail !== null && <span class="note">{of.detail}</span>}
          <span class="r note">{t('registry.since', { time: clock(of.since) })}</span>
        </li>
        {of.announced.map((each, i) => (
          <li key={String(i)}>
            <code>
              {Object.values(each)
                .filter((value) => typeof value !== 'object')
                .join(' · ')}
            </code>
          </li>
        ))}
        {of.watches.map(({ service, instances, stale }) => (
          <li key={service}>
            <strong>{service}</strong>
            <span class="note">{t('registry.found', { count: count(instances) })}</span>
            {stale !== null && <span class="tone-warn">{stale}</span>}
          </li>
        ))}
      </ul>
    </Section>
  );
}
