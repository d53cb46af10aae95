// Values with a unit (durations, sizes, rates): the one place that reads and prints them.
import { ReeveError } from './errors.ts';

const durationUnits = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const sizeUnits = {
  B: 1,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
} as const;

function parseWithUnit(text: string, units: Record<string, number>, what: string, example: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([A-Za-z]+)$/.exec(text.trim());
  const unit = match ? units[match[2]!] : undefined;
  if (!match || unit === undefined) {
    throw new ReeveError(
      'usage',
      `'${text}' is not a ${what}: write a number with a unit (${Object.keys(units).join(', ')}), such as ${example}`,
    );
  }
  return Number(match[1]) * unit;
}

/** `500ms`, `5s`, `1.5m`, `2h`, `1d` → milliseconds. */
export function parseDuration(text: string): number {
  return parseWithUnit(text, durationUnits, 'duration', '5s');
}

/** Milliseconds → the two largest units that matter: `1.5s`, `2m 5s`, `3d 4h`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Number(ms.toFixed(ms < 10 ? 1 : 0))}ms`;
  if (ms < 60_000) return `${Number((ms / 1000).toFixed(1))}s`;
  const names = ['d', 'h', 'm', 's'] as const;
  let rest = Math.round(ms / 1000) * 1000;
  const parts: string[] = [];
  for (const name of names) {
    const count = Math.floor(rest / durationUnits[name]);
    rest -= count * durationUnits[name];
    if (count > 0 || parts.length > 0) parts.push(`${count}${name}`);
  }
  return parts
    .slice(0, 2)
    .filter((part, i) => i === 0 || !part.startsWith('0'))
    .join(' ');
}

/** `10MB` (10⁶) and `10MiB` (2²⁰) → bytes. */
export function parseSize(text: string): number {
  return Math.round(parseWithUnit(text, sizeUnits, 'size', '10MB'));
}

export function formatSize(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const names = ['kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let at = -1;
  while (value >= 999.5 && at < names.length - 1) {
    value /= 1000;
    at += 1;
  }
  return `${Number(value.toFixed(value < 10 ? 1 : 0))} ${names[at]}`;
}

/** So many events in so long. */
export interface Rate {
  count: number;
  perMs: number;
}

/** `1000/s`, `10/1m`, `5/30s`. */
export function parseRate(text: string): Rate {
  const [count, per, ...more] = text.split('/');
  if (
    count === undefined ||
    per === undefined ||
    more.length > 0 ||
    !/^\d+$/.test(count.trim()) ||
    Number(count) < 1
  ) {
    throw new ReeveError(
      'usage',
      `'${text}' is not a rate: write so many in so long, such as 1000/s or 10/1m`,
    );
  }
  const perMs = parseDuration(/^\d/.test(per.trim()) ? per : `1${per.trim()}`);
  if (perMs <= 0)
    throw new ReeveError('usage', `'${text}' is not a rate: its time must be longer than nothing`);
  return { count: Number(count), perMs };
}

export function formatRate({ count, perMs }: Rate): string {
  const per = formatDuration(perMs);
  return `${count}/${per.startsWith('1') && /^1[a-z]+$/.test(per) ? per.slice(1) : per}`;
}

export interface DurationRange {
  min: number;
  max: number;
}

/** `500ms..60s` → milliseconds. */
export function parseDurationRange(text: string): DurationRange {
  const [from, to, ...more] = text.split('..');
  if (from === undefined || to === undefined || more.length > 0) {
    throw new ReeveError('usage', `'${text}' is not a range of durations: write 500ms..60s`);
  }
  const range = { min: parseDuration(from), max: parseDuration(to) };
  if (range.max < range.min) {
    throw new ReeveError('usage', `'${text}' is not a range of durations: it ends before it starts`);
  }
  return range;
}
