// Addresses against node:net: canonical text, bytes, classes, and which binds meet.
import { SocketAddress } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addressBytes,
  addressesOverlap,
  type BindAddress,
  canonicalAddress,
  familyOf,
  formatAddressBytes,
  isLoopback,
  unmapped,
} from './address.ts';

const v6 = fc.ipV6();
const v4 = fc.ipV4();

describe('canonicalAddress', () => {
  it('agrees with the system on IPv6 text', () => {
    fc.assert(
      fc.property(v6, (text) => {
        // inet_ntop writes ::1.2.3.4 for the deprecated IPv4-compatible block, RFC 5952 leaves it open.
        const system = new SocketAddress({ address: text, family: 'ipv6' }).address;
        fc.pre(!system.includes('.') || system.startsWith('::ffff:'));
        expect(canonicalAddress(text)).toBe(system);
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['0:0:0:0:0:0:0:0', '::'],
    ['0:0::1', '::1'],
    ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['1:0:2:3:4:5:6:7', '1:0:2:3:4:5:6:7'],
    ['::ffff:7f00:1', '::ffff:127.0.0.1'],
    ['1:2:3:4:5:6:1.2.3.4', '1:2:3:4:5:6:102:304'],
    ['FE80::1%eth0', 'fe80::1%eth0'],
    ['10.0.0.1', '10.0.0.1'],
    ['example.org', 'example.org'],
  ])('%s → %s', (text, canonical) => {
    expect(canonicalAddress(text)).toBe(canonical);
  });

  it('is settled after one step', () => {
    fc.assert(
      fc.property(fc.oneof(v6, v4, fc.string()), (text) => {
        expect(canonicalAddress(canonicalAddress(text))).toBe(canonicalAddress(text));
      }),
    );
  });
});

describe('addressBytes', () => {
  it('reads back what formatAddressBytes writes, at any offset', () => {
    const sized = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
    fc.assert(
      fc.property(fc.oneof(sized(4), sized(16)), fc.nat(8), (bytes, offset) => {
        const padded = new Uint8Array(offset + bytes.length + 3).fill(0xee);
        padded.set(bytes, offset);
        const text = formatAddressBytes(bytes.length === 4 ? 'ipv4' : 'ipv6', padded, offset);
        expect(familyOf(text)).toBe(bytes.length === 4 ? 'ipv4' : 'ipv6');
        expect(addressBytes(text)).toEqual(bytes);
      }),
    );
  });

  it('is null for what is no address', () => {
    for (const text of ['', 'localhost', '1.2.3', '1.2.3.256', ':::', '1::2::3'])
      expect(addressBytes(text)).toBeNull();
  });
});

describe('isLoopback', () => {
  it.each(['127.0.0.1', '127.8.9.1', '::1', '0:0:0:0:0:0:0:1', '::ffff:127.0.0.1', '::FFFF:7f00:1'])(
    '%s is',
    (text) => {
      expect(isLoopback(text)).toBe(true);
    },
  );
  it.each([
    '127.example.org',
    '127.',
    'localhost',
    '10.0.0.1',
    '::',
    '0.0.0.0',
    '::ffff:10.0.0.1',
    '::127.0.0.1',
  ])('%s is not', (text) => {
    expect(isLoopback(text)).toBe(false);
  });
});

describe('unmapped', () => {
  it('shows an IPv4 peer of a dual-stack socket as IPv4, and nothing else', () => {
    fc.assert(
      fc.property(v4, (text) => {
        expect(unmapped(`::ffff:${text}`)).toBe(text);
      }),
    );
    for (const text of ['::1', '10.0.0.1', '::ffff:10.0.0.1.evil', '::ffff:0:10.0.0.1'])
      expect(unmapped(text)).toBe(text);
  });
});

describe('addressesOverlap', () => {
  const bind = (address: string, v6only = false): BindAddress => ({
    family: familyOf(address)!,
    address,
    v6only,
  });
  it.each([
    ['0.0.0.0', '127.0.0.1', true],
    ['127.0.0.1', '127.0.0.2', false],
    ['::', '127.0.0.1', true],
    ['::', '0.0.0.0', true],
    ['0:0::0', '0.0.0.0', true],
    ['::1', '127.0.0.1', false],
    ['::1', '0.0.0.0', false],
    ['::1', '::', true],
    ['::ffff:127.0.0.1', '127.0.0.1', true],
    ['::ffff:7f00:1', '127.0.0.1', true],
    ['::ffff:127.0.0.1', '::1', false],
    ['::ffff:0.0.0.0', '10.0.0.1', true],
  ])('%s and %s: %s', (a, b, meets) => {
    expect(addressesOverlap(bind(a), bind(b))).toBe(meets);
    expect(addressesOverlap(bind(b), bind(a))).toBe(meets);
  });

  it('keeps :: with v6only out of IPv4', () => {
    expect(addressesOverlap(bind('::', true), bind('0.0.0.0'))).toBe(false);
    expect(addressesOverlap(bind('::', true), bind('::1'))).toBe(true);
  });

  it('is symmetric, and every address meets itself', () => {
    const binds = fc.record({
      address: fc.oneof(v4, v6, fc.constantFrom('::', '0.0.0.0')),
      v6only: fc.boolean(),
    });
    fc.assert(
      fc.property(binds, binds, (x, y) => {
        const [a, b] = [bind(x.address, x.v6only), bind(y.address, y.v6only)];
        expect(addressesOverlap(a, b)).toBe(addressesOverlap(b, a));
        expect(addressesOverlap(a, a)).toBe(true);
      }),
    );
  });
});
