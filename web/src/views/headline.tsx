// The first thing to read: is all well, what is not, and how much is going on.
import { useComputed } from '@preact/signals';
import { count, perSecond, rate } from '../format.ts';
import { type Key, t, word } from '../i18n/index.ts';
import { Icon } from '../parts/icons.tsx';
import { line, Spark } from '../parts/spark.tsx';
import { issuesOf } from '../state/issues.ts';
import { status } from '../state/live.ts';
import { linkToSubject } from '../state/route.ts';
import { allListeners, lastValue, tick } from '../state/series.ts';

const shownIssues = 6;

export function Headline() {
  const is = status.value!;
  const issues = issuesOf(is);
  const instances = is.services.flatMap((service) => service.instances);
  const upInstances = instances.filter(({ state }) => state === 'up' || state === 'finished').length;
  const upChecks = is.checks.filter(({ verdict }) => verdict === 'up').length;
  const isWell = issues.length === 0 && is.state === 'ready';
  return (
    <div class="headline">
      <div class={`verdict tone-${isWell ? 'up' : (issues[0]?.tone ?? 'info')}`} role="status">
        <Icon name={isWell ? 'fine' : 'alert'} />
        <div>
          <p class="verdict-text">
            {isWell
              ? t('well')
              : issues.length > 0
                ? t(issues.length === 1 ? 'attention.one' : 'attention.many', { count: issues.length })
                : word('state', is.state)}
          </p>
          <p class="note">
            {t('headline.counts', {
              listeners: is.listeners.length,
              up: upInstances,
              instances: instances.length,
              checksUp: upChecks,
              checks: is.checks.length,
            })}
          </p>
        </div>
      </div>
      {issues.length > 0 && (
        <ul class="issues">
          {issues.slice(0, shownIssues).map(({ tone, text, subject, values }) => (
            <li key={subject + text + (values.target ?? values.address ?? '')} class={`tone-${tone}`}>
              <i class="dot" aria-hidden="true" />
              <a href={linkToSubject(subject) ?? '#/'}>
                {t(text, { ...values, ...(values.state && { state: word('state', values.state) }) })}
              </a>
            </li>
          ))}
          {issues.length > shownIssues && (
            <li class="note">{t('more', { count: issues.length - shownIssues })}</li>
          )}
        </ul>
      )}
      <div class="totals">
        <Total
          label="open"
          field="active"
          as={(value) => count(Math.round(value ?? 0))}
          colour="--series-1"
        />
        <Total label="newPerSecond" field="opened" as={perSecond} colour="--series-2" />
        <Total label="in" field="received" as={rate} colour="--series-3" />
        <Total label="out" field="sent" as={rate} colour="--series-1" />
        <Total label="refusedPerSecond" field="refused" as={perSecond} colour="--down" />
      </div>
    </div>
  );
}

interface TotalProps {
  label: Key;
  field: string;
  as(value: number | null): string;
  colour: string;
}

/** One number over all listeners, with its last three minutes. */
function Total({ label, field, as, colour }: TotalProps) {
  const text = useComputed(() => {
    void tick.value;
    return as(lastValue(allListeners, field));
  });
  return (
    <div class="total">
      <span class="label">{t(label)}</span>
      <span class="value num">{text}</span>
      <Spark
        lines={[line(allListeners, field, colour)]}
        label={t('chart.recent', { what: t(label) })}
        height={30}
      />
    </div>
  );
}
