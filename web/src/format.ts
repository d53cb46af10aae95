// Numbers, sizes and times as a person reads them. Digits keep their width, so that columns stand still.
import { t } from './i18n/index.ts';
import { language } from './state/settings.ts';

const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** Decimal units, three digits. */
export function size(bytes: number | null | undefined): string {
  if (bytes === null || bytes === undefined) return '–';
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${digits(value)} ${units[unit]}`;
}

export const rate = (bytes: number | null | undefined) =>
  bytes === null || bytes === undefined ? '–' : `${size(bytes)}/s`;

export function count(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–';
  return value.toLocaleString(language.value === 'zh' ? 'zh-CN' : 'en');
}

/** Per second: a fraction only where it says something. */
export function perSecond(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–';
  return value >= 100 || value === 0 ? count(Math.round(value)) : digits(value);
}

export function percent(share: number | null | undefined, places = 0): string {
  return share === null || share === undefined ? '–' : `${(share * 100).toFixed(places)} %`;
}

function digits(value: number): string {
  if (value === 0) return '0';
  if (value < 9.95) return value.toFixed(value < 0.995 ? 2 : 1);
  return Math.round(value).toString();
}

/** `850 µs`, `12 ms`, `3.2 s`. */
export function latency(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return '–';
  if (ms < 1) return `${Math.round(ms * 1000)} µs`;
  if (ms < 1000) return `${digits(ms)} ms`;
  return ms < 60_000 ? `${digits(ms / 1000)} s` : duration(ms);
}

/** The two largest units: `3 d 4 h`, `12 min`, `9 s`. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const parts = [
    [Math.floor(seconds / 86_400), 'unit.d'],
    [Math.floor(seconds / 3600) % 24, 'unit.h'],
    [Math.floor(seconds / 60) % 60, 'unit.min'],
    [seconds % 60, 'unit.s'],
  ] as const;
  const first = parts.findIndex(([value]) => value > 0);
  if (first < 0) return `0 ${t('unit.s')}`;
  const shown = parts.slice(first, first + (first < 2 ? 2 : 1)).filter(([value]) => value > 0);
  return shown.map(([value, unit]) => `${value} ${t(unit)}`).join(' ');
}

export const since = (iso: string | null, now: number) =>
  iso === null ? '–' : duration(now - Date.parse(iso));

/** `12:03:10`, with the day where it is not today. */
export function clock(time: string | number): string {
  const date = new Date(time);
  const locale = language.value === 'zh' ? 'zh-CN' : 'en-GB';
  const hours = date.toLocaleTimeString(locale, { hour12: false });
  const isToday = new Date().toDateString() === date.toDateString();
  return isToday ? hours : `${date.toLocaleDateString(locale, { month: 'short', day: 'numeric' })} ${hours}`;
}
