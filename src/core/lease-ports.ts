// Which ports are never leased, and why. Pure.
import { inRange, inRanges, type PortRange } from './range.ts';

export interface PoolRules {
  range: PortRange;
  /** Local ports of outgoing connections: the kernel may give one away at any moment. */
  ephemeral: PortRange | null;
  reserved: PortRange[];
  excluded: PortRange[];
  /** What the configuration keeps out, and the ports that it gives to its own listeners. */
  exclude: PortRange[];
  unprivilegedFrom: number;
  mayBindPrivileged: boolean;
  /** For a server that browsers are to reach. */
  http: boolean;
}

export type Unsuitable =
  | 'out-of-range'
  | 'ephemeral'
  | 'reserved'
  | 'excluded'
  | 'configured'
  | 'privileged'
  | 'browser-blocked';

/** Null for a port that may be leased, as far as settings tell; whether it is free only a bind can. */
export function whyUnsuitable(port: number, rules: PoolRules): Unsuitable | null {
  if (!inRange(rules.range, port)) return 'out-of-range';
  if (rules.ephemeral && inRange(rules.ephemeral, port)) return 'ephemeral';
  if (inRanges(rules.reserved, port)) return 'reserved';
  if (inRanges(rules.excluded, port)) return 'excluded';
  if (inRanges(rules.exclude, port)) return 'configured';
  if (port < rules.unprivilegedFrom && !rules.mayBindPrivileged) return 'privileged';
  return rules.http && browserBlocked.has(port) ? 'browser-blocked' : null;
}

export const unsuitableWords: Record<Unsuitable, string> = {
  'out-of-range': 'outside the range',
  ephemeral: 'in the range of outgoing connections (ephemeral)',
  reserved: 'reserved by ip_local_reserved_ports',
  excluded: 'excluded by the system',
  configured: 'kept out by the configuration',
  privileged: 'only for privileged users',
  'browser-blocked': 'blocked by browsers',
};

/** Why a range gives too little: `12 in the range of outgoing connections, 3 kept out by the configuration`. */
export function explainPool(rules: PoolRules): string {
  const counts = new Map<Unsuitable, number>();
  for (let port = rules.range.first; port <= rules.range.last; port++) {
    const reason = whyUnsuitable(port, rules);
    if (reason) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  return [...counts].map(([reason, count]) => `${count} ${unsuitableWords[reason]}`).join(', ');
}

/** "Port blocking" of the WHATWG Fetch standard: a browser does not connect to these. */
export const browserBlocked: ReadonlySet<number> = new Set([
  0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104,
  109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515,
  526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049,
  3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
]);
