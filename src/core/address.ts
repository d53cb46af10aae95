// IP addresses as values: canonical text, classes, and which bind addresses overlap. No look-ups.
import { isIP } from 'node:net';

export type Family = 'ipv4' | 'ipv6';

export function familyOf(address: string): Family | null {
  const version = isIP(address);
  return version === 4 ? 'ipv4' : version === 6 ? 'ipv6' : null;
}

export function isWildcard(address: string): boolean {
  return address === '0.0.0.0' || address === '::';
}

/** Of addresses only: a name such as `127.example.org` may lead anywhere. */
export function isLoopback(address: string): boolean {
  const plain = unmapped(canonicalAddress(address));
  return plain === '::1' || (familyOf(plain) === 'ipv4' && plain.startsWith('127.'));
}

/** `::ffff:10.0.0.1` → `10.0.0.1`; anything else unchanged. How dual-stack sockets show their IPv4 peers. */
export function unmapped(address: string): string {
  if (address[0] !== ':') return address;
  return /^::ffff:\d+\.\d+\.\d+\.\d+$/i.test(address) ? address.slice(7) : address;
}

/** Canonical text of an address in network byte order (4 or 16 bytes at `offset`), IPv6 as RFC 5952 has it. */
export function formatAddressBytes(family: Family, bytes: Uint8Array, offset = 0): string {
  if (family === 'ipv4') {
    return `${bytes[offset]}.${bytes[offset + 1]}.${bytes[offset + 2]}.${bytes[offset + 3]}`;
  }
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) groups.push((bytes[offset + i]! << 8) | bytes[offset + i + 1]!);
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    return `::ffff:${formatAddressBytes('ipv4', bytes, offset + 12)}`;
  }
  const gap = longestZeroRun(groups);
  const hex = groups.map((group) => group.toString(16));
  if (gap.length < 2) return hex.join(':');
  return `${hex.slice(0, gap.start).join(':')}::${hex.slice(gap.start + gap.length).join(':')}`;
}

function longestZeroRun(groups: number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let start = -1;
  for (let i = 0; i <= groups.length; i++) {
    if (groups[i] === 0) {
      if (start < 0) start = i;
    } else if (start >= 0) {
      if (i - start > best.length) best = { start, length: i - start };
      start = -1;
    }
  }
  return best;
}

/** The bytes of an IPv4 or IPv6 literal in network order; null when it is neither. A zone (`%eth0`) is ignored. */
export function addressBytes(address: string): Uint8Array | null {
  const bare = address.split('%')[0]!;
  const family = familyOf(bare);
  if (family === 'ipv4') return Uint8Array.from(bare.split('.').map(Number));
  if (family === null) return null;
  const dotted = bare.lastIndexOf('.') < 0 ? null : bare.slice(bare.lastIndexOf(':') + 1);
  const [head = '', tail] = (dotted ? bare.slice(0, -dotted.length).replace(/([^:]):$/, '$1') : bare).split(
    '::',
  );
  const groups = (text: string) =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
  const ending = dotted ? dotted.split('.').map(Number) : [];
  const before = groups(head);
  const after = tail === undefined ? [] : groups(tail);
  const bytes = new Uint8Array(16);
  before.forEach((group, i) => {
    bytes[2 * i] = group >> 8;
    bytes[2 * i + 1] = group & 255;
  });
  after.forEach((group, i) => {
    const at = 16 - ending.length - 2 * (after.length - i);
    bytes[at] = group >> 8;
    bytes[at + 1] = group & 255;
  });
  bytes.set(ending, 16 - ending.length);
  return bytes;
}

/** The same address always has the same text: `0:0::1` → `::1`. A zone stays; what is no address is unchanged. */
export function canonicalAddress(address: string): string {
  if (familyOf(address) !== 'ipv6') return address;
  const zone = address.indexOf('%');
  return formatAddressBytes('ipv6', addressBytes(address)!) + (zone < 0 ? '' : address.slice(zone));
}

/** One socket's bind address; `v6only` matters to `::` alone. */
export interface BindAddress {
  family: Family;
  address: string;
  v6only: boolean;
}

/**
 * Whether two binds of one port want the same packets. `::` without v6only covers IPv4 too
 * (ipv6(7), RFC 3493 §5.3), and a v4-mapped address is that IPv4 address.
 */
export function addressesOverlap(a: BindAddress, b: BindAddress): boolean {
  return coverage(a).some((x) =>
    coverage(b).some((y) => x.family === y.family && meets(x.address, y.address)),
  );
}

function meets(a: string, b: string): boolean {
  return a === b || isWildcard(a) || isWildcard(b);
}

function coverage(bind: BindAddress): { family: Family; address: string }[] {
  const address = canonicalAddress(bind.address);
  const plain = unmapped(address);
  if (plain !== address) return [{ family: 'ipv4', address: plain }];
  if (address === '::' && !bind.v6only) {
    return [
      { family: 'ipv6', address: '::' },
      { family: 'ipv4', address: '0.0.0.0' },
    ];
  }
  return [{ family: bind.family, address }];
}
