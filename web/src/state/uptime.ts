// Uptime as bars: each an equal part of a time, with the share of it that was up. Pure.
import type { History } from './series.ts';

export interface Bar {
  /** Seconds since the epoch. */
  from: number;
  /** Null: nobody looked, or nothing was known. */
  up: number | null;
}

export function barsOf(
  { at, series }: History,
  name: string,
  now: number,
  span: number,
  count: number,
): Bar[] {
  const width = span / count;
  const start = now - span;
  const sums = Array.from({ length: count }, () => ({ up: 0, seen: 0 }));
  const rows = series[name] ?? [];
  at.forEach((time, i) => {
    const value = rows[i]?.[0];
    const bar = sums[Math.floor((time - start) / width)];
    if (value === null || value === undefined || !bar) return;
    bar.up += value;
    bar.seen += 1;
  });
  return sums.map(({ up, seen }, i) => ({
    from: Math.round(start + i * width),
    up: seen === 0 ? null : up / seen,
  }));
}
