// Checks: whether each is up, why in words, how it was for a day and a month, and how long its answers take.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { latency, percent } from '../format.ts';
import { t, word } from '../i18n/index.ts';
import { Chart, type ChartLine, type Range, RangeButtons } from '../parts/chart.tsx';
import { Each } from '../parts/each.tsx';
import { Ticking } from '../parts/live-text.tsx';
import { MaintainButton, MaintainedUntil } from '../parts/maintain.tsx';
import { Empty } from '../parts/section.tsx';
import { Badge, State } from '../parts/state.tsx';
import { ask } from '../state/api.ts';
import { checkState, explainCheck } from '../state/explain-check.ts';
import { status } from '../state/live.ts';
import { subject } from '../state/route.ts';
import type { History } from '../state/series.ts';
import type { CheckStatus } from '../state/types.ts';
import { type Bar, barsOf } from '../state/uptime.ts';

const answer: ChartLine = { field: 'ms', label: 'answer', colour: '--series-1' };
/** Of what one point stands for: the same where a point is one look. */
const worst: ChartLine = { field: 'worst', label: 'worst', colour: '--series-2' };

/** Milliseconds between looks at the months: half an hour passes slowly. */
const refresh = 60_000;

export function Checks() {
  const range = useSignal<Range>('10m');
  const rows = status.value!.checks;
  useEffect(() => {
    document.getElementById(`check-${subject.value}`)?.scrollIntoView({ block: 'nearest' });
  }, []);
  return (
    <>
      <div class="toolbar">
        <h2>{t('checks')}</h2>
        <span class="spacer" />
        <RangeButtons
          value={range.value}
          onChange={(next) => {
            range.value = next;
          }}
        />
      </div>
      {rows.length === 0 && <Empty>{t('checks.none')}</Empty>}
      <Each of={rows} by={(row) => row.name} also={range.value}>
        {(row) => <CheckCard row={row} range={range.value} />}
      </Each>
    </>
  );
}

function CheckCard({ row, range }: { row: CheckStatus; range: Range }) {
  return (
    <article class="card check" id={`check-${row.name}`} aria-label={row.name}>
      <div class="check-words">
        <header>
          <h3>{row.name}</h3>
          <State of={checkState(row)} />
          {row.flapping && <Badge tone="warn">{word('state', 'flapping')}</Badge>}
          <MaintainedUntil subject={`check/${row.name}`} />
          <span class="spacer" />
          <span class="value num">{latency(row.ms)}</span>
          <MaintainButton subject={`check/${row.name}`} name={row.name} />
        </header>
        <code class="note">{row.url}</code>
        <p>
          <Ticking text={(now) => explainCheck(row, now)} />
        </p>
        {row.held !== null && <p class="tone-warn">{word('held', row.held)}</p>}
        {row.detail && <p class="note detail">{row.detail}</p>}
        <Uptime name={row.name} />
      </div>
      <Chart
        series={`check/${row.name}`}
        range={range}
        lines={range === '10m' ? [answer] : [answer, worst]}
        as={latency}
        label={t('chart.check', { name: row.name })}
      />
    </article>
  );
}

function Uptime({ name }: { name: string }) {
  const bars = useSignal<{ day: Bar[]; month: Bar[] } | null>(null);
  useEffect(() => {
    let isGone = false;
    const read = async () => {
      const series = `check/${name}`;
      const of = (range: Range) =>
        ask<History>(`/api/v1/history?series=${encodeURIComponent(series)}&range=${range}&fields=up`);
      const [day, month] = await Promise.all([of('24h'), of('30d')]).catch(() => []);
      if (!day || !month || isGone) return;
      const now = Date.now() / 1000;
      bars.value = {
        day: barsOf(day, series, now, 24 * 3600, 48),
        month: barsOf(month, series, now, 30 * 86_400, 30),
      };
    };
    void read();
    const timer = setInterval(read, refresh);
    return () => {
      isGone = true;
      clearInterval(timer);
    };
  }, [name]);
  if (!bars.value) return <div class="uptime" />;
  return (
    <div class="uptime">
      <Bars label={t('uptime.24h')} bars={bars.value.day} />
      <Bars label={t('uptime.30d')} bars={bars.value.month} />
    </div>
  );
}

function Bars({ label, bars }: { label: string; bars: Bar[] }) {
  const known = bars.filter(({ up }) => up !== null);
  const share = known.length === 0 ? null : known.reduce((sum, { up }) => sum + (up ?? 0), 0) / known.length;
  const text = share === null ? t('uptime.unknown') : percent(share, share === 1 ? 0 : 2);
  return (
    <figure>
      <figcaption class="label">
        {label} <span class="num uptime-share">{text}</span>
      </figcaption>
      <div class="bars" role="img" aria-label={`${label}: ${text}`}>
        {bars.map(({ from, up }) => (
          <i
            key={from}
            class={`bar tone-${up === null ? 'idle' : up >= 0.9995 ? 'up' : up >= 0.95 ? 'warn' : 'down'} ${up === null ? 'empty-bar' : ''}`}
            title={`${new Date(from * 1000).toLocaleString()}: ${percent(up, 2)}`}
          />
        ))}
      </div>
    </figure>
  );
}
