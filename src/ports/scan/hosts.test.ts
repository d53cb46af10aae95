// Operands of a scan: names, addresses, blocks; how many at most; what is refused.
import { BlockList } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatAddressBytes } from '../../core/address.ts';
import { expandBlock, expandHosts } from './hosts.ts';

describe('expandBlock', () => {
  it.each([
    ['10.0.0.7/30', ['10.0.0.4', '10.0.0.5', '10.0.0.6', '10.0.0.7']],
    ['255.255.255.255/31', ['255.255.255.254', '255.255.255.255']],
    ['192.0.2.1/32', ['192.0.2.1']],
    ['fd00::ffff/127', ['fd00::fffe', 'fd00::ffff']],
    ['::1/128', ['::1']],
  ])('%s', (block, addresses) => {
    expect([...expandBlock(block)]).toEqual(addresses);
  });

  it.each(['ipv4', 'ipv6'] as const)('names each address of an %s block once, and no other', (family) => {
    const size = family === 'ipv4' ? 4 : 16;
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: size, maxLength: size }),
        fc.integer({ min: 0, max: 8 }),
        (bytes, free) => {
          // Node's own block list is the judge; it compares v4-mapped addresses as IPv4, so those are left out.
          bytes[0] = 0x20;
          const address = formatAddressBytes(family, bytes);
          const prefix = size * 8 - free;
          const judge = new BlockList();
          judge.addSubnet(address, prefix, family);
          const addresses = [...expandBlock(`${address}/${prefix}`)];
          expect(new Set(addresses).size).toBe(2 ** free);
          expect(addresses.every((each) => judge.check(each, family))).toBe(true);
        },
      ),
    );
  });

  it.each([
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/-1',
    '::/129',
    'host/24',
    '10.0.0.0/24/24',
    '10.0.0/24',
    'fe80::%1/64',
    '/8',
  ])('refuses %s', (block) => {
    expect(() => [...expandBlock(block)]).toThrow(expect.objectContaining({ code: 'usage' }));
  });
});

describe('expandHosts', () => {
  it('takes lists of anything, each once, in order', () => {
    expect(expandHosts(['b.example,10.0.0.1', '[::1]', '10.0.0.0/31', '0:0::1'])).toEqual([
      'b.example',
      '10.0.0.1',
      '::1',
      '10.0.0.0',
    ]);
  });

  it('takes 65,536 hosts and no more', () => {
    expect(expandHosts(['10.1.0.0/16'])).toHaveLength(65_536);
    expect(() => expandHosts(['10.1.0.0/16', '10.2.0.1'])).toThrow('at most 65536');
    for (const block of ['10.0.0.0/15', '0.0.0.0/0', 'fd00::/64', '::/0']) {
      expect(() => expandHosts([block])).toThrow(expect.objectContaining({ code: 'usage' }));
    }
  });

  it.each(['', '10.1', '1.2.3.4.5', 'a b', '-x', '[host]', 'http://x'])('refuses %j', (text) => {
    expect(() => expandHosts([text])).toThrow(expect.objectContaining({ code: 'usage' }));
  });
});
