// Samples of the last minutes, as they come by the stream: what small charts draw and rates are read from.
import { signal } from '@preact/signals';
import { ask } from './api.ts';
import type { Sample } from './types.ts';

/** Counts samples: whoever draws depends on it. */
export const tick = signal(0);
export const latest = signal<Sample>({});

/** The sum over all listeners, kept like one of them. */
export const allListeners = 'listener/*';

/** Seconds that small charts show. */
export const window = 180;

let fields: Record<string, string[]> = {};
const rings = new Map<string, (number | null)[][]>();
let times: number[] = [];

export function setFields(of: Record<string, string[]>): void {
  fields = of;
}

export function fieldIndex(kind: string, field: string): number {
  return fields[kind]?.indexOf(field) ?? -1;
}

export function addSample(at: number, sample: Sample): void {
  const time = Math.floor(at);
  if (time <= (times.at(-1) ?? 0)) return;
  times.push(time);
  sample = { ...sample, [allListeners]: sumOf(Object.entries(sample)) };
  for (const name of Object.keys(sample))
    if (!rings.has(name))
      rings.set(
        name,
        times.slice(1).map(() => []),
      );
  for (const [name, ring] of rings) ring.push(sample[name] ?? []);
  if (times.length > window) {
    times.shift();
    for (const [name, ring] of rings) {
      ring.shift();
      if (ring.every((values) => values.length === 0)) rings.delete(name);
    }
  }
  latest.value = sample;
  tick.value += 1;
}

function sumOf(rows: [string, (number | null)[] | null][]): number[] {
  const sum: number[] = [];
  for (const [name, values] of rows) {
    if (!name.startsWith('listener/') || name === allListeners) continue;
    values?.forEach((value, i) => {
      sum[i] = (sum[i] ?? 0) + (value ?? 0);
    });
  }
  return sum;
}

/** The newest value of a field; zero where the series is idle. */
export function lastValue(series: string, field: string): number | null {
  const values = latest.value[series];
  if (!values) return 0;
  return values[fieldIndex(series.split('/')[0]!, field)] ?? null;
}

/** Values of the last three minutes, oldest first. */
export function recent(series: string, field: string): (number | null)[] {
  const index = fieldIndex(series.split('/')[0]!, field);
  const ring = rings.get(series);
  if (!ring) return times.map(() => 0);
  return ring.map((values) => (values.length > 0 ? (values[index] ?? null) : 0));
}

export interface History {
  step: number;
  fields: string[];
  at: number[];
  series: Record<string, ((number | null)[] | null)[]>;
}

/** Fills the small charts with what was before this page was opened. */
export async function loadRecent(): Promise<void> {
  for (const kind of ['listener', 'target', 'instance', 'check']) {
    const history = await ask<History>(`/api/v1/history?series=${kind}/*&range=10m&points=${window}`).catch(
      () => null,
    );
    if (!history) continue;
    if (kind === 'listener') {
      history.series[allListeners] = history.at.map((_, i) =>
        sumOf(Object.entries(history.series).map(([name, rows]) => [name, rows[i] ?? null])),
      );
    }
    prepend(history);
  }
  tick.value += 1;
}

function prepend({ at, series }: History): void {
  const first = times[0] ?? Number.POSITIVE_INFINITY;
  const earlier = at.map((time, i) => [time, i] as const).filter(([time]) => time < first);
  const known = new Set(times);
  const fresh = earlier.filter(([time]) => !known.has(time));
  if (fresh.length > 0) {
    times = [...fresh.map(([time]) => time), ...times];
    for (const ring of rings.values()) ring.unshift(...fresh.map(() => []));
  }
  for (const [name, rows] of Object.entries(series)) {
    const ring = rings.get(name) ?? times.map(() => []);
    const place = new Map(times.map((time, i) => [time, i]));
    at.forEach((time, i) => {
      const index = place.get(time);
      const row = rows[i];
      if (index !== undefined && row && ring[index]!.length === 0) ring[index] = row;
    });
    rings.set(name, ring);
  }
}
