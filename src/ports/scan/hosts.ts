// Which hosts a scan's operands name: names, addresses and CIDR blocks, in order, each once. No look-ups.
import { addressBytes, canonicalAddress, familyOf, formatAddressBytes } from '../../core/address.ts';
import { ReeveError } from '../../core/errors.ts';

/** A /16 of IPv4. More than that is a survey of the Internet, which is other tools' work. */
const maxHosts = 65_536;

/** @throws ReeveError `usage` for what is no host or block, or where they are more than 65,536. */
export function expandHosts(operands: readonly string[]): string[] {
  const hosts = new Set<string>();
  const add = (host: string) => {
    hosts.add(host);
    if (hosts.size > maxHosts) throw tooMany(operands.join(' '), `more than ${maxHosts}`);
  };
  for (const operand of operands.flatMap((each) => each.split(',')).map((each) => each.trim())) {
    if (operand.includes('/')) for (const address of expandBlock(operand)) add(address);
    else add(checkHost(operand));
  }
  return [...hosts];
}

/** Every address of `10.0.0.0/24` or `fd00::/120`, the first and the last among them. Bits after the prefix are ignored. */
export function* expandBlock(block: string): Generator<string> {
  const [address = '', prefix = '', ...more] = block.split('/');
  const family = familyOf(address);
  const bytes = addressBytes(address);
  const bits = family === 'ipv4' ? 32 : 128;
  const length = /^\d{1,3}$/.test(prefix) ? Number(prefix) : Number.NaN;
  if (family === null || bytes === null || address.includes('%') || more.length > 0 || !(length <= bits)) {
    throw new ReeveError('usage', `'${block}' is not a block of addresses: write 10.0.0.0/24 or fd00::/120`);
  }
  const free = bits - length;
  if (free > 16) throw tooMany(block, `2^${free}`);
  const all = bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  const first = (all >> BigInt(free)) << BigInt(free);
  for (let i = 0; i < 2 ** free; i++) {
    let rest = first + BigInt(i);
    for (let at = bytes.length - 1; at >= 0; at--) {
      bytes[at] = Number(rest & 255n);
      rest >>= 8n;
    }
    yield formatAddressBytes(family, bytes);
  }
}

/** An address in its canonical text; a name as it is. Brackets around an IPv6 address are taken off. */
function checkHost(text: string): string {
  const bare = /^\[(.+)\]$/.exec(text)?.[1] ?? text;
  if (familyOf(bare) !== null) return canonicalAddress(bare);
  const isName = /^[\p{L}\p{N}_]([\p{L}\p{N}\p{M}_.-]{0,252})$/u.test(text) && !/^[\d.]+$/.test(text);
  if (isName) return text;
  throw new ReeveError(
    'usage',
    `'${text}' is not a host: write a name, an address or a block like 10.0.0.0/24`,
  );
}

function tooMany(what: string, count: string): ReeveError {
  return new ReeveError('usage', `'${what}' names ${count} hosts: at most ${maxHosts} are scanned at once`, {
    hint: 'Scan smaller blocks, one after another',
  });
}
