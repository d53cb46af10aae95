// The effective configuration as lines of YAML, with durations, sizes and addresses as a person writes them. Pure.
export interface ConfigLine {
  depth: number;
  /** The first line of an item of a list. */
  item: boolean;
  key: string | null;
  /** Null: what follows is deeper. */
  value: string | null;
  kind: 'text' | 'number' | 'word' | 'secret';
}

type Shown = Pick<ConfigLine, 'kind'> & { text: string };

const durations =
  /^(interval|timeout|fastInterval|connectTimeout|for|idle|drain|ttl|grace|slowStart|age|greeting)$/;
const sizes = /^(size|frame)$/;

export function configLines(config: unknown): ConfigLine[] {
  const lines: ConfigLine[] = [];
  const put = (depth: number, item: boolean, key: string | null, value: unknown) => {
    const shown = shownValue(key ?? '', value);
    if (shown) {
      lines.push({ depth, item, key, value: shown.text, kind: shown.kind });
      return;
    }
    if (key !== null) lines.push({ depth, item, key, value: null, kind: 'word' });
    const inner = key === null ? depth : depth + 1;
    if (Array.isArray(value)) for (const each of value) list(inner, each);
    else map(inner, item && key === null, value as Record<string, unknown>);
  };
  const map = (depth: number, item: boolean, value: Record<string, unknown>) => {
    let first = item;
    for (const [key, inner] of Object.entries(value)) {
      put(first ? depth - 1 : depth, first, key, inner);
      first = false;
    }
  };
  const list = (depth: number, value: unknown) => {
    if (shownValue('', value)) put(depth, true, null, value);
    else if (Array.isArray(value)) put(depth, true, null, JSON.stringify(value));
    else map(depth + 1, true, value as Record<string, unknown>);
  };
  if (typeof config === 'object' && config !== null) map(0, false, config as Record<string, unknown>);
  return lines;
}

/** What fits on one line; null for what does not. */
export function shownValue(key: string, value: unknown): Shown | null {
  if (value === null || typeof value === 'boolean') return { text: String(value), kind: 'word' };
  if (typeof value === 'number') return { text: withUnit(key, value), kind: 'number' };
  if (typeof value === 'string') {
    return value.includes('•••') ? { text: value, kind: 'secret' } : { text: quoted(value), kind: 'text' };
  }
  if (Array.isArray(value)) {
    const parts = value.map((each) => shownValue('', each));
    if (value.length > 8 || parts.some((part) => part === null)) return null;
    const text = `[${parts.map((part) => part!.text).join(', ')}]`;
    return text.length <= 90 ? { text, kind: 'text' } : null;
  }
  return special(value as Record<string, unknown>);
}

/** Values that the file writes as one word: an endpoint, a range, a rate, a span of durations. */
function special(value: Record<string, unknown>): Shown | null {
  const keys = Object.keys(value).sort().join();
  if (keys === 'host,port,protocol') {
    const host = String(value.host);
    return { text: quoted(`${host.includes(':') ? `[${host}]` : host}:${value.port}`), kind: 'text' };
  }
  if (keys === 'first,last') return { text: `${value.first}-${value.last}`, kind: 'number' };
  if (keys === 'count,perMs')
    return { text: `${value.count}/${duration(Number(value.perMs))}`, kind: 'number' };
  if (keys === 'max,min')
    return { text: `${duration(Number(value.min))}..${duration(Number(value.max))}`, kind: 'number' };
  return keys === '' ? { text: '{}', kind: 'word' } : null;
}

function withUnit(key: string, value: number): string {
  if (durations.test(key)) return duration(value);
  // A queue has a size too, of connections: what is small is no number of bytes.
  if (!sizes.test(key) || value < 1000) return String(value);
  for (const [unit, bytes] of [
    ['MiB', 2 ** 20],
    ['MB', 1e6],
    ['KiB', 2 ** 10],
    ['kB', 1e3],
  ] as const) {
    if (value >= bytes && value % bytes === 0) return `${value / bytes}${unit}`;
  }
  return `${value}B`;
}

function duration(ms: number): string {
  for (const [unit, length] of [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1000],
  ] as const) {
    if (ms >= length && ms % length === 0) return `${ms / length}${unit}`;
  }
  return `${ms}ms`;
}

/** As YAML wants it. */
function quoted(text: string): string {
  return /^[A-Za-z0-9_./-][A-Za-z0-9_.:/-]*$/.test(text) && !/^[\d.]+$/.test(text)
    ? text
    : JSON.stringify(text);
}
