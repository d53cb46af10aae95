// Socket addresses as the kernel has them, there and back.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { canonicalAddress } from '../../core/address.ts';
import { decodeSockaddr, encodeSockaddr, SockaddrReader } from './sockaddr.ts';

it('lays out IPv4 and IPv6 as Linux does', () => {
  expect([...encodeSockaddr('127.0.0.1', 8080)]).toEqual([2, 0, 31, 144, 127, 0, 0, 1, ...Array(8).fill(0)]);
  const six = encodeSockaddr('fe80::1%3', 443);
  expect([...six.subarray(0, 8)]).toEqual([10, 0, 1, 187, 0, 0, 0, 0]);
  expect([...six.subarray(8)]).toEqual([0xfe, 0x80, ...Array(13).fill(0), 1, 3, 0, 0, 0]);
});

it('comes back the same', () => {
  const address = fc.oneof(fc.ipV4(), fc.ipV6());
  fc.assert(
    fc.property(address, fc.integer({ min: 0, max: 65_535 }), (text, port) => {
      const canonical = canonicalAddress(text).replace(/^::ffff:(?=\d+\.)/, '');
      expect(decodeSockaddr(encodeSockaddr(text, port))).toEqual({ address: canonical, port });
    }),
  );
});

it('reads the same one after the other as each alone', () => {
  const address = fc.oneof(fc.constantFrom('10.0.0.1', '10.0.0.2', '::1', '::ffff:10.0.0.1'), fc.ipV4());
  fc.assert(
    fc.property(fc.array(fc.tuple(address, fc.integer({ min: 0, max: 65_535 }))), (peers) => {
      const reader = new SockaddrReader();
      for (const [text, port] of peers) {
        const bytes = encodeSockaddr(text, port);
        expect(reader.read(bytes)).toEqual(decodeSockaddr(bytes));
      }
    }),
  );
});

it('knows no other family', () => {
  expect(decodeSockaddr(new Uint8Array(28))).toBeNull();
  expect(() => encodeSockaddr('localhost', 1)).toThrow("no IP address: 'localhost'");
});
