// A set of addresses and blocks, asked at every accept: sorted ranges, so that ten thousand cost hardly more than ten.
// (net.BlockList looks at one rule after the other.)
import { addressBytes, unmapped } from './address.ts';

/** Addresses are strings of their bytes, which compare as the numbers do. */
interface Range {
  first: string;
  last: string;
}

/** ::ffff:0:0/96 */
const mappedPrefix = `${'\0'.repeat(10)}\xff\xff`;

export class AddressSet {
  /** By the length of an address: 4 or 16 bytes. Ranges of one list neither touch nor overlap. */
  private readonly ranges = new Map<number, Range[]>();

  /** Of addresses and blocks such as 10.0.0.0/8. What is neither is left out. */
  constructor(blocks: readonly string[]) {
    for (const block of blocks) {
      const range = rangeOf(block);
      if (!range) continue;
      const { length } = range.first;
      const list = this.ranges.get(length);
      if (list) list.push(range);
      else this.ranges.set(length, [range]);
    }
    for (const [length, list] of this.ranges) this.ranges.set(length, merged(list));
  }

  /** A zone (`fe80::1%eth0`) does not count; IPv4 in the notation of IPv6 is IPv4. */
  has(address: string): boolean {
    const bytes = addressBytes(unmapped(address));
    const list = bytes && this.ranges.get(bytes.length);
    if (!list) return false;
    const key = keyOf(bytes);
    let low = 0;
    let high = list.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (list[middle]!.first <= key) low = middle + 1;
      else high = middle;
    }
    return low > 0 && key <= list[low - 1]!.last;
  }
}

function rangeOf(block: string): Range | null {
  const [address = '', prefix] = block.split('/');
  let bytes = addressBytes(address);
  if (!bytes) return null;
  let bits = prefix === undefined ? bytes.length * 8 : Number(prefix);
  if (bytes.length === 16 && bits >= 96 && keyOf(bytes).startsWith(mappedPrefix)) {
    bytes = bytes.subarray(12);
    bits -= 96;
  }
  const first = bytes.slice();
  const last = bytes.slice();
  for (let i = 0; i < bytes.length; i++) {
    const rest = 0xff >> Math.min(8, Math.max(0, bits - 8 * i));
    first[i]! &= ~rest;
    last[i]! |= rest;
  }
  return { first: keyOf(first), last: keyOf(last) };
}

function merged(ranges: Range[]): Range[] {
  ranges.sort((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0));
  const result: Range[] = [];
  for (const { first, last } of ranges) {
    const before = result.at(-1);
    if (!before || first > before.last) result.push({ first, last });
    else if (last > before.last) before.last = last;
  }
  return result;
}

function keyOf(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
