// A chart over time with axes: what the daemon kept of a series, and what comes while one looks.
import { effect } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { clock } from '../format.ts';
import { type Key, t } from '../i18n/index.ts';
import { ask } from '../state/api.ts';
import { fieldIndex, type History, latest, tick } from '../state/series.ts';
import { language, theme } from '../state/settings.ts';

export interface ChartLine {
  field: string;
  label: Key;
  /** The name of a colour token. */
  colour: string;
}

export type Range = '10m' | '2h' | '24h' | '30d';
export const ranges: readonly Range[] = ['10m', '2h', '24h', '30d'];

interface Props {
  series: string;
  lines: ChartLine[];
  range: Range;
  as(value: number): string;
  label: string;
}

const height = 150;

export function Chart({ series, lines, range, as, label }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const fields = lines.map(({ field }) => field).join(',');
  useEffect(() => {
    const gone = new AbortController();
    void show(box.current!, { series, lines, range, as, label }, gone.signal);
    return () => gone.abort();
  }, [series, fields, range]);
  return <div ref={box} class="chart" role="img" aria-label={label} />;
}

type Row = (number | null)[] | null | undefined;

async function show(box: HTMLElement, { series, lines, range, as }: Props, gone: AbortSignal): Promise<void> {
  // The chart library is as large as all else together: fetched with the first chart.
  const [{ default: Plot }, history] = await Promise.all([
    import('uplot'),
    ask<History>(
      `/api/v1/history?series=${encodeURIComponent(series)}&range=${range}&fields=${lines.map(({ field }) => field).join(',')}`,
    ).catch(() => null),
  ]);
  if (gone.aborted) return;
  const rows: Row[] = history?.series[series] ?? [];
  const times = [...(history?.at ?? [])];
  const kind = series.split('/')[0]!;
  const idle = kind === 'listener' || kind === 'target';
  const columns = lines.map((_, i) => times.map((_, at) => valueIn(rows[at], i, idle)));
  const colours = () => {
    const style = getComputedStyle(box);
    return (name: string) => style.getPropertyValue(name);
  };
  const colour = (name: string) => () => colours()(name);
  const axis = {
    stroke: colour('--muted'),
    font: '11px Inter, system-ui, sans-serif',
    ticks: { show: false },
  };
  const plot = new Plot(
    {
      width: Math.max(200, box.clientWidth),
      height,
      padding: [8, 24, 0, 0],
      legend: { show: false },
      cursor: { points: { size: 6 }, y: false },
      scales: { y: { range: (_, __, max) => [0, max > 0 ? max * 1.1 : 1] } },
      axes: [
        {
          ...axis,
          size: 26,
          space: 68,
          grid: { show: false },
          values: (_, splits) => splits.map((at) => shortTime(at, range)),
        },
        {
          ...axis,
          size: 64,
          space: 34,
          grid: { stroke: colour('--line'), width: 1 },
          values: (_, splits) => splits.map((value) => as(value)),
        },
      ],
      series: [
        {},
        ...lines.map((line) => ({
          label: t(line.label),
          stroke: colour(line.colour),
          width: 1.5,
          spanGaps: false,
          points: { show: false },
        })),
      ],
      plugins: [readout(as)],
    },
    [times, ...columns],
    box,
  );
  const resize = new ResizeObserver(() => plot.setSize({ width: Math.max(200, box.clientWidth), height }));
  resize.observe(box);
  const stopTheme = effect(() => {
    void theme.value;
    void language.value;
    plot.redraw(false);
  });
  const stopTicks = effect(() => {
    void tick.value;
    if (range !== '10m') return;
    const at = Math.floor(Date.now() / 1000);
    if (at <= (times.at(-1) ?? 0)) return;
    const row = latest.peek()[series];
    times.push(at);
    lines.forEach(({ field }, i) => {
      columns[i]!.push(valueIn(row, fieldIndex(kind, field), idle));
    });
    while (times.length > 600) for (const each of [times, ...columns]) each.shift();
    plot.setData([times, ...columns]);
  });
  gone.addEventListener('abort', () => {
    resize.disconnect();
    stopTheme();
    stopTicks();
    plot.destroy();
  });
}

function valueIn(row: Row, index: number, idle: boolean): number | null {
  return row ? (row[index] ?? null) : idle ? 0 : null;
}

function shortTime(at: number, range: Range): string {
  const date = new Date(at * 1000);
  if (range === '30d') return `${date.getMonth() + 1}/${date.getDate()}`;
  const text = date.toLocaleTimeString('en-GB', { hour12: false });
  return range === '10m' ? text : text.slice(0, 5);
}

/** The values under the pointer, or the newest ones, above the chart: no box that covers what it speaks of. */
function readout(as: (value: number) => string): uPlot.Plugin {
  const say = (plot: uPlot) => {
    const line = plot.root.querySelector('.chart-readout');
    const at = plot.cursor.idx ?? plot.data[0].length - 1;
    const time = plot.data[0][at];
    const parts = plot.series.slice(1).map((each, i) => {
      const part = document.createElement('span');
      const value = plot.data[i + 1]?.[at];
      part.textContent = `${each.label} ${value === null || value === undefined ? '–' : as(value)}`;
      part.style.color = typeof each.stroke === 'function' ? String(each.stroke(plot, i + 1)) : '';
      return part;
    });
    line?.replaceChildren(...(time ? [clock(time * 1000)] : []), ...parts);
  };
  return {
    hooks: {
      init: (plot) => {
        const line = document.createElement('div');
        line.className = 'chart-readout';
        plot.root.prepend(line);
      },
      setCursor: say,
      draw: say,
    },
  };
}

export function RangeButtons({ value, onChange }: { value: Range; onChange(range: Range): void }) {
  return (
    <fieldset class="group-buttons" aria-label={t('range')}>
      {ranges.map((range) => (
        <button
          key={range}
          type="button"
          class="button small"
          aria-pressed={range === value}
          onClick={() => onChange(range)}
        >
          {t(`range.${range}`)}
        </button>
      ))}
    </fieldset>
  );
}
