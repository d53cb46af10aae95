// Socket tables of Windows from bytes: made by hand after tcpmib.h and udpmib.h, and a whole one as Wine 8 gave it.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import captured from '../../../test/fixtures/windows/tcp-table-wine-8.json' with { type: 'json' };
import { decodeTable } from './tables.ts';

interface Field {
  at: number;
  bytes: number[];
}

const dword = (at: number, value: number): Field => ({
  at,
  bytes: [value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24],
});
/** In network byte order, with rubbish in the half of the word that is not defined. */
const port = (at: number, value: number): Field => ({ at, bytes: [value >> 8, value & 255, 0xde, 0xad] });

function table(size: number, ...rows: Field[][]): Uint8Array {
  const bytes = new Uint8Array(8 + size * rows.length);
  bytes[0] = rows.length;
  rows.forEach((fields, i) => {
    for (const { at, bytes: value } of fields) bytes.set(value, 8 + i * size + at);
  });
  return bytes;
}

const loopback6 = [...new Array(15).fill(0), 1];

it('reads TCP over IPv4: a listener and a connection', () => {
  const listener = [
    dword(0, 2),
    { at: 4, bytes: [127, 0, 0, 1] },
    port(8, 8080),
    dword(20, 4711),
    dword(32, 7),
  ];
  const connection = [
    ...[dword(0, 5), { at: 4, bytes: [10, 0, 0, 1] }, port(8, 49_999)],
    ...[{ at: 12, bytes: [10, 0, 0, 2] }, port(16, 443), dword(20, 812)],
  ];
  expect(decodeTable(table(160, listener, connection), 'tcp', 'ipv4')).toMatchObject([
    {
      ...{ protocol: 'tcp', family: 'ipv4', address: '127.0.0.1', port: 8080, state: 'listen' },
      ...{ remoteAddress: null, remotePort: null, pid: 4711, serviceTag: 7 },
    },
    { address: '10.0.0.1', port: 49_999, state: 'established', remoteAddress: '10.0.0.2', remotePort: 443 },
  ]);
});

it('reads TCP over IPv6, with the zone of a link-local address', () => {
  const bytes = table(
    192,
    [{ at: 0, bytes: loopback6 }, port(20, 5000), dword(48, 2), dword(52, 4)],
    [{ at: 0, bytes: [0xfe, 0x80] }, dword(16, 12), port(20, 1), dword(48, 100), dword(52, 9), dword(64, 3)],
  );
  expect(decodeTable(bytes, 'tcp', 'ipv6')).toMatchObject([
    { address: '::1', port: 5000, state: 'listen', pid: 4 },
    { address: 'fe80::%12', port: 1, state: 'bound', pid: 9, serviceTag: 3, remoteAddress: null },
  ]);
});

it('reads UDP of both families', () => {
  const v4 = table(160, [{ at: 0, bytes: [0, 0, 0, 0] }, port(4, 53), dword(8, 1200), dword(32, 44)]);
  expect(decodeTable(v4, 'udp', 'ipv4')).toMatchObject([
    { protocol: 'udp', address: '0.0.0.0', port: 53, state: 'unconnected', pid: 1200, serviceTag: 44 },
  ]);
  const v6 = table(176, [port(20, 5353), dword(24, 1300), dword(48, 45)]);
  expect(decodeTable(v6, 'udp', 'ipv6')).toMatchObject([
    { family: 'ipv6', address: '::', port: 5353, pid: 1300, serviceTag: 45 },
  ]);
});

it('names every state, and takes an unknown one for closed', () => {
  const states = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 77];
  const bytes = table(160, ...states.map((state) => [dword(0, state)]));
  expect(decodeTable(bytes, 'tcp', 'ipv4').map(({ state }) => state)).toEqual([
    ...['closed', 'listen', 'syn-sent', 'syn-received', 'established', 'fin-wait-1', 'fin-wait-2'],
    ...['close-wait', 'closing', 'last-ack', 'time-wait', 'closed', 'closed'],
  ]);
});

it('reads a whole table as a program under Wine 8 was given it: a listener and both ends of a connection', () => {
  const { listener, client, bytes } = captured;
  const rows = decodeTable(Buffer.from(bytes, 'hex'), 'tcp', 'ipv4');
  const here = { address: '127.0.0.1', family: 'ipv4' };
  expect(rows).toHaveLength(3);
  expect(rows).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ ...here, port: listener, state: 'listen', remotePort: null }),
      expect.objectContaining({ ...here, port: listener, state: 'established', remotePort: client }),
      expect.objectContaining({ ...here, port: client, state: 'established', remotePort: listener }),
    ]),
  );
});

it('never reads outside of the bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
      for (const protocol of ['tcp', 'udp'] as const) {
        for (const family of ['ipv4', 'ipv6'] as const) decodeTable(bytes, protocol, family);
      }
    }),
  );
});
