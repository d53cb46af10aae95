// What else is there: checks in one line each, sinks, and the registry where there is one.
import { clock, count, latency, size } from '../format.ts';
import { t } from '../i18n/index.ts';
import { MaintainedUntil } from '../parts/maintain.tsx';
import { Section } from '../parts/section.tsx';
import { State } from '../parts/state.tsx';
import { checkState } from '../state/explain-check.ts';
import { status } from '../state/live.ts';
import { linkTo } from '../state/route.ts';
import type { RegistrySummary } from '../state/types.ts';

export function Aside() {
  const is = status.value!;
  return (
    <div class="columns">
      {is.checks.length > 0 && (
        <Section title={t('checks')} note={String(is.checks.length)}>
          <ul class="plain-list">
            {is.checks.map(({ name, verdict, degraded, flapping, ms, url }) => (
              <li key={name}>
                <a href={linkTo('checks', name)}>{name}</a>
                <State of={checkState({ verdict, degraded })} />
                {flapping && <State of="flapping" />}
                <MaintainedUntil subject={`check/${name}`} />
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
      {is.registry.kind !== 'embedded' && <Registry of={is.registry} />}
    </div>
  );
}

const linkTones = { ok: 'up', connecting: 'info', away: 'warn', refused: 'down' } as const;
const standingTones = { pass: 'up', warn: 'warn', fail: 'down' } as const;

function Registry({ of }: { of: RegistrySummary }) {
  return (
    <Section title={t('registry')} note={`${of.kind} ${of.address ?? ''}`}>
      <ul class="plain-list registry">
        <li>
          <State of={of.state} tone={linkTones[of.state]} words="link" />
          {of.detail !== null && <span class="note">{of.detail}</span>}
          {of.failures > 0 && <span class="note">{t('failures', { count: count(of.failures) })}</span>}
          <span class="r note">{t('registry.since', { time: clock(of.since) })}</span>
        </li>
        {of.announced.map(({ id, service, port, standing, reason, inStep }) => (
          <li key={id} title={id}>
            <strong>{service}</strong>
            <span class="num">:{port}</span>
            <State of={standing} tone={standingTones[standing]} words="standing" />
            <span class="note">{reason}</span>
            {!inStep && <span class="tone-warn">{t('registry.behind')}</span>}
          </li>
        ))}
        {of.watches.map(({ service, instances, asOf, stale }) => (
          <li key={`watch/${service}`}>
            <strong>{service}</strong>
            {asOf !== null && <span class="note">{t('registry.found', { count: count(instances) })}</span>}
            {stale !== null && (
              <span class="tone-warn">
                {asOf === null
                  ? t('registry.none', { why: stale })
                  : t('registry.stale', { time: clock(asOf), why: stale })}
              </span>
            )}
          </li>
        ))}
      </ul>
    </Section>
  );
}
