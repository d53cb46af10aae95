// Sets of addresses: the same answer as looking at one block after the other, bit by bit.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { addressBytes, formatAddressBytes } from './address.ts';
import { AddressSet } from './address-set.ts';

const bits = (address: string) =>
  [...addressBytes(address)!].map((byte) => byte.toString(2).padStart(8, '0')).join('');

function naive(blocks: string[], address: string): boolean {
  return blocks.some((block) => {
    const [base = '', prefix] = block.split('/');
    const [own, its] = [bits(address), bits(base)];
    return own.length === its.length && own.startsWith(its.slice(0, Number(prefix)));
  });
}

// Few different bytes, so that blocks nest, repeat and meet each other's edges.
const byte = fc.constantFrom(0, 1, 2, 127, 128, 254, 255);
const ipv4 = fc
  .tuple(byte, byte, byte, byte)
  .map((bytes) => formatAddressBytes('ipv4', Uint8Array.from(bytes)));
const ipv6 = fc
  .array(byte, { minLength: 15, maxLength: 15 })
  .map((bytes) => formatAddressBytes('ipv6', Uint8Array.from([0x20, ...bytes])));
const block = fc.oneof(
  fc.tuple(ipv4, fc.nat(32)).map(([address, prefix]) => `${address}/${prefix}`),
  fc.tuple(ipv6, fc.nat(128)).map(([address, prefix]) => `${address}/${prefix}`),
);

it('answers as the naive look at every block does', () => {
  fc.assert(
    fc.property(fc.array(block, { maxLength: 30 }), fc.array(fc.oneof(ipv4, ipv6)), (blocks, addresses) => {
      const set = new AddressSet(blocks);
      const bases = blocks.map((one) => one.split('/')[0]!);
      for (const address of [...addresses, ...bases])
        expect(set.has(address), address).toBe(naive(blocks, address));
    }),
  );
});

it('knows addresses in all their notations', () => {
  const set = new AddressSet(['10.0.0.1', '::ffff:192.0.2.0/120', 'fe80::/10', 'nonsense']);
  for (const inside of ['10.0.0.1', '::ffff:10.0.0.1', '192.0.2.77', 'fe80::1%eth0'])
    expect(set.has(inside), inside).toBe(true);
  for (const outside of ['10.0.0.2', '192.0.3.1', '::1', '', 'nonsense'])
    expect(set.has(outside), outside).toBe(false);
});
