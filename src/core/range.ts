// Ranges of ports: read, printed, compared.
import { parsePort } from './endpoint.ts';
import { ReeveError } from './errors.ts';

/** Both ends belong to it. */
export interface PortRange {
  first: number;
  last: number;
}

/** Reads `3000` and `3000-3010`. */
export function parseRange(text: string): PortRange {
  const [from = '', to, ...more] = text.split('-');
  const first = parsePort(from.trim());
  const last = to === undefined ? first : parsePort(to.trim());
  if (more.length > 0) throw new ReeveError('usage', `'${text}' is not a port range: write 3000-3010`);
  if (last < first) {
    throw new ReeveError('usage', `'${text}' is not a port range: it ends before it starts`, {
      hint: `Write ${last}-${first}`,
    });
  }
  return { first, last };
}

/** Reads `22,80,8000-8100`, sorted and with overlaps merged. */
export function parseRanges(text: string): PortRange[] {
  return mergeRanges(text.split(',').map((part) => parseRange(part.trim())));
}

export function mergeRanges(ranges: PortRange[]): PortRange[] {
  const merged: PortRange[] = [];
  for (const range of [...ranges].sort((a, b) => a.first - b.first)) {
    const before = merged.at(-1);
    if (before && range.first <= before.last + 1) before.last = Math.max(before.last, range.last);
    else merged.push({ ...range });
  }
  return merged;
}

export function formatRange({ first, last }: PortRange): string {
  return first === last ? String(first) : `${first}-${last}`;
}

export function inRange(range: PortRange, port: number): boolean {
  return port >= range.first && port <= range.last;
}

export function inRanges(ranges: PortRange[], port: number): boolean {
  return ranges.some((range) => inRange(range, port));
}

export function countPorts(ranges: PortRange[]): number {
  return ranges.reduce((sum, range) => sum + range.last - range.first + 1, 0);
}

export function* portsOf(ranges: PortRange[]): Generator<number> {
  for (const { first, last } of ranges) for (let port = first; port <= last; port++) yield port;
}
