// Values with a unit (durations, sizes, rates): the one place that reads and prints them.
import { ReeveError } from './errors.ts';

const durationUnits = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const sizeUnits = {
  B: 1,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  TiB: 1024 ** 4,
} as const;

/** One or more numbers with a unit, which add up: `1m 30s`. */
function parseWithUnit(text: string, units: Record<string, number>, what: string, example: string): number {
  const isForm = /^(?:\d+(?:\.\d+)?\s*[A-Za-z]+\s*)+$/.test(text.trim());
  const parts = isForm ? [...text.matchAll(/([\d.]+)\s*([A-Za-z]+)/g)] : [];
  const values = parts.map(([, count, unit]) => Number(count) * ownUnit(units, unit!));
  const sum = values.length === 0 ? Number.NaN : values.reduce((a, b) => a + b, 0);
  if (sum <= Number.MAX_SAFE_INTEGER) return sum;
  const why = Number.isNaN(sum)
    ? `write a number with a unit (${Object.keys(units).join(', ')}), such as ${example}`
    : 'it is too large';
  throw new ReeveError('usage', `'${text}' is not a ${what}: ${why}`);
}

function ownUnit(units: Record<string, number>, name: string): number {
  return Object.hasOwn(units, name) ? units[name]! : Number.NaN;
}

/** `500ms`, `5s`, `1.5m`, `1h 30m`, `1d` → milliseconds. */
export function parseDuration(text: string): number {
  return parseWithUnit(text, durationUnits, 'duration', '5s');
}

/** Milliseconds → the two largest units that matter, rounded: `1.5s`, `2m 5s`, `3d 4h`. For a person to read. */
export function formatDuration(ms: number): string {
  // Rounded before the unit is chosen, so that 999.6 ms is `1s` and 59.99 s is `1m`.
  const fine = Number(ms.toFixed(ms < 10 ? 1 : 0));
  if (fine < 1000) return `${fine}ms`;
  const tenths = Math.round(ms / 100) / 10;
  if (tenths < 60) return `${tenths}s`;
  let rest = Math.round(ms / 1000) * 1000;
  const parts: string[] = [];
  for (const name of ['d', 'h', 'm', 's'] as const) {
    const count = Math.floor(rest / durationUnits[name]);
    rest -= count * durationUnits[name];
    if (count > 0 || parts.length > 0) parts.push(`${count}${name}`);
  }
  return parts
    .slice(0, 2)
    .filter((part, i) => i === 0 || !part.startsWith('0'))
    .join(' ');
}

/** Milliseconds → the largest unit that gives a whole number, nothing lost: `90s`, `1h`. */
export function exactDuration(ms: number): string {
  const unit =
    (['d', 'h', 'm', 's'] as const).find((name) => ms > 0 && ms % durationUnits[name] === 0) ?? 'ms';
  return `${ms / durationUnits[unit]}${unit}`;
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
  const [count = '', per, ...more] = text.split('/').map((part) => part.trim());
  if (!per || more.length > 0 || !/^\d{1,15}$/.test(count) || Number(count) < 1) {
    throw new ReeveError(
      'usage',
      `'${text}' is not a rate: write so many in so long, such as 1000/s or 10/1m`,
    );
  }
  const perMs = parseDuration(/^\d/.test(per) ? per : `1${per}`);
  if (perMs > 0) return { count: Number(count), perMs };
  throw new ReeveError('usage', `'${text}' is not a rate: its time must be longer than nothing`);
}

/** Reads back as the same rate. */
export function formatRate({ count, perMs }: Rate): string {
  return `${count}/${exactDuration(perMs).replace(/^1(?=[a-z])/, '')}`;
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
