// Running services from bytes made after winsvc.h's ENUM_SERVICE_STATUS_PROCESSW.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeServices } from './services.ts';

const base = 0x7f00_0000n;

/** Rows of 56 bytes, then their names. */
function list(...services: [name: string, pid: number][]): Uint8Array {
  const names = services.map(([name]) => Buffer.from(`${name}\0`, 'utf16le'));
  const bytes = new Uint8Array(56 * services.length + names.reduce((sum, { length }) => sum + length, 0));
  const view = new DataView(bytes.buffer);
  let at = 56 * services.length;
  services.forEach(([, pid], i) => {
    view.setBigUint64(56 * i, base + BigInt(at), true);
    view.setUint32(56 * i + 44, pid, true);
    bytes.set(names[i]!, at);
    at += names[i]!.length;
  });
  return bytes;
}

it('names the services of each process', () => {
  const bytes = list(['W32Time', 900], ['Dnscache', 900], ['Größe', 12], ['Starting', 0]);
  expect([...decodeServices(bytes, base, 4)]).toEqual([
    [900, ['W32Time', 'Dnscache']],
    [12, ['Größe']],
  ]);
  expect(decodeServices(bytes, base, 1).get(900)).toEqual(['W32Time']);
});

it('passes over names outside of the bytes, and counts that are too high', () => {
  const bytes = list(['W3SVC', 5]);
  expect(decodeServices(bytes, base - 10_000n, 1).size).toBe(0);
  expect(decodeServices(bytes, base + 10_000n, 1).size).toBe(0);
  expect(decodeServices(bytes.subarray(0, 56 + 10), base, 1).get(5)).toEqual(['W3SVC']);
});

it('never reads outside of the bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat(20), (bytes, count) => {
      decodeServices(bytes, 0n, count);
    }),
  );
});
