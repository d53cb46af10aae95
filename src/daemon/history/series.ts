// Which numbers of the status become series, and how several of them become one. Pure.
import type { Sample } from '../../store/index.ts';
import type { DaemonStatus } from '../status.ts';

/** The fields of each kind of series, in their order. `mean` of rates and gauges, `max` where the worst matters. */
export const seriesFields = {
  listener: {
    active: 'mean',
    opened: 'mean',
    received: 'mean',
    sent: 'mean',
    refused: 'mean',
    connectP50: 'mean',
    connectP99: 'max',
    durationP50: 'mean',
    durationP99: 'max',
  },
  target: { active: 'mean', opened: 'mean', failures: 'mean', up: 'mean' },
  check: { up: 'mean', ms: 'mean', worst: 'max' },
  instance: { cpu: 'mean', memory: 'mean' },
} as const;

export type SeriesKind = keyof typeof seriesFields;

/** What a process uses: share of one core, and resident bytes. */
export interface Usage {
  cpu: number | null;
  memory: number | null;
}

/** Of thousands of checks the first so many have a history: a second of all would be a megabyte. */
const mostChecks = 500;

/** `listener/web`, `target/web/127.0.0.1:20000`, `check/db`, `instance/api/0`. Idle listeners and targets are left out. */
export function sampleOf(
  now: DaemonStatus,
  before: DaemonStatus | null,
  seconds: number,
  usage: ReadonlyMap<string, Usage>,
): Sample {
  const sample: Sample = {};
  const rate = (value: number, earlier: number | undefined) =>
    earlier === undefined || seconds <= 0 ? 0 : Math.max(0, value - earlier) / seconds;
  const earlierListeners = new Map(before?.listeners.map((row) => [row.name, row]));
  for (const row of now.listeners) {
    const earlier = earlierListeners.get(row.name);
    const { connect, duration } = row.latency;
    put(sample, `listener/${row.name}`, [
      row.connections.active,
      rate(row.connections.total, earlier?.connections.total),
      rate(row.bytes.received, earlier?.bytes.received),
      rate(row.bytes.sent, earlier?.bytes.sent),
      rate(sum(row.refused), earlier && sum(earlier.refused)),
      ...[connect.p50, connect.p99, duration.p50, duration.p99],
    ]);
    const earlierTargets = new Map(earlier?.targets.map((target) => [target.id, target]));
    for (const target of row.targets) {
      const was = earlierTargets.get(target.id);
      put(sample, `target/${row.name}/${target.id}`, [
        target.connections.active,
        rate(target.connections.total, was?.connections.total),
        rate(target.failures, was?.failures),
        target.verdict === 'unknown' ? null : target.verdict === 'down' ? 0 : 1,
      ]);
    }
  }
  for (const { name, verdict, ms } of now.checks.slice(0, mostChecks)) {
    if (verdict !== 'unknown') sample[`check/${name}`] = [verdict === 'down' ? 0 : 1, ms, ms];
  }
  for (const [id, { cpu, memory }] of usage) sample[`instance/${id}`] = [cpu, memory];
  return sample;
}

/** Nothing but zeros says the same as no row at all. */
function put(sample: Sample, series: string, values: (number | null)[]): void {
  if (values.some((value) => value !== null && value !== 0)) sample[series] = values.map(short);
}

function sum(counts: Record<string, number | undefined>): number {
  return Object.values(counts).reduce<number>((all, count) => all + (count ?? 0), 0);
}

/** Three digits are all that a chart shows. */
function short(value: number | null): number | null {
  return value === null ? null : Number(value.toPrecision(4));
}

/** How many of the first fields are zero where a series has no row. */
const idleZeros: Partial<Record<SeriesKind, number>> = { listener: 5, target: 3 };

/**
 * One sample for many. A listener or target without a row was idle (zero); a check or instance without one was not
 * looked at, and counts for nothing. A time without any sample counts for nothing either.
 */
export function merge(samples: readonly Sample[]): Sample {
  const merged: Sample = {};
  for (const series of new Set(samples.flatMap(Object.keys))) {
    const kind = series.slice(0, series.indexOf('/')) as SeriesKind;
    const rules = Object.values(seriesFields[kind] ?? {});
    const zeros = idleZeros[kind] ?? 0;
    const rows = samples.map((sample) => sample[series]);
    merged[series] = rules.map((rule, field) => {
      const values = rows.map((row) => (row ? (row[field] ?? null) : field < zeros ? 0 : null));
      const known = values.filter((value) => value !== null);
      if (known.length === 0) return null;
      if (rule === 'max') return Math.max(...known);
      return short(known.reduce((all, value) => all + value, 0) / known.length);
    });
  }
  return merged;
}
