// Decoding sock_diag replies: captured ones from Linux 6.18, and every kind of bad one.
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Family } from '../../core/address.ts';
import type { Protocol } from '../../core/endpoint.ts';
import { decodeChunk, encodeRequest, stateMask } from './diag.ts';

const capturedSequence = 7;

/** Datagrams are parted by empty lines. */
function captured(protocol: Protocol, family: Family): Uint8Array[] {
  const file = new URL(`../../../test/fixtures/linux/sock-diag-${protocol}-${family}.hex`, import.meta.url);
  const parts = readFileSync(file, 'utf8').trim().split('\n\n');
  return parts.map((part) => Buffer.from(part.replace(/\s/g, ''), 'hex'));
}

function rows(protocol: Protocol, family: Family) {
  return captured(protocol, family).flatMap((each) => decodeChunk(each, protocol, capturedSequence).rows);
}

const shape = (row: ReturnType<typeof rows>[number]) => [
  row.address,
  row.port,
  row.remotePort,
  row.state,
  row.v6only,
];

describe('decodeChunk', () => {
  it('reads TCP over IPv4, with bound sockets and TIME_WAIT', () => {
    const all = rows('tcp', 'ipv4');
    expect(all.map(shape)).toEqual([
      ['127.0.0.1', 8001, null, 'listen', null],
      ['127.0.0.1', 8011, null, 'listen', null],
      ['127.0.0.1', 8005, null, 'bound', null],
      ['127.0.0.1', 40002, 8012, 'established', null],
      ['127.0.0.1', 8011, 40001, 'time-wait', null],
    ]);
    expect(all[0]).toEqual({
      protocol: 'tcp',
      family: 'ipv4',
      address: '127.0.0.1',
      port: 8001,
      remoteAddress: null,
      remotePort: null,
      state: 'listen',
      id: '58317',
      uid: 0,
      receiveQueue: 0,
      sendQueue: 7,
      v6only: null,
      namespace: null,
    });
    expect(all[4]).toMatchObject({ id: null, uid: null, remoteAddress: '127.0.0.1' });
  });

  it('tells which IPv6 sockets take IPv4 as well', () => {
    const all = rows('tcp', 'ipv6').map(shape);
    expect(all).toContainEqual(['::', 8002, null, 'listen', false]);
    expect(all).toContainEqual(['::', 8003, null, 'listen', true]);
    expect(all).toContainEqual(['::', 8006, null, 'bound', false]);
    expect(all).toContainEqual(['::', 8007, null, 'bound', true]);
    expect(all).toContainEqual(['::ffff:127.0.0.1', 8012, 40002, 'established', null]);
    expect(all).toHaveLength(7);
  });

  it('tells connected from unconnected UDP', () => {
    expect(rows('udp', 'ipv4').map(shape)).toEqual([
      ['127.0.0.1', 8008, null, 'unconnected', null],
      ['127.0.0.1', 8010, 8008, 'established', null],
    ]);
    expect(rows('udp', 'ipv6').map(shape)).toEqual([['::', 8009, null, 'unconnected', true]]);
  });

  it('ends with the message that says so', () => {
    const chunks = captured('tcp', 'ipv6').map((each) => decodeChunk(each, 'tcp', capturedSequence));
    expect(chunks.map(({ done }) => done)).toEqual([...chunks.slice(1).map(() => false), true]);
    expect(chunks.every(({ error, interrupted }) => error === 0 && !interrupted)).toBe(true);
  });

  it('passes over answers to another question', () => {
    const [first] = captured('tcp', 'ipv4');
    expect(decodeChunk(first!, 'tcp', capturedSequence + 1)).toEqual({
      rows: [],
      done: false,
      interrupted: false,
      error: 0,
    });
  });

  it('takes a datagram that was cut off for an interrupted dump', () => {
    const [first] = captured('tcp', 'ipv4');
    const chunk = decodeChunk(first!.subarray(0, first!.length - 1), 'tcp', capturedSequence);
    expect(chunk.interrupted).toBe(true);
  });

  it('sees that the kernel marked the dump as interrupted', () => {
    const chunk = decodeChunk(message({ type: 3, flags: 0x12, status: 0 }), 'tcp', 1);
    expect(chunk).toEqual({ rows: [], done: true, interrupted: true, error: 0 });
  });

  it('reads the errno of a refusal and of a dump that failed half way', () => {
    expect(decodeChunk(message({ type: 2, flags: 0, status: -1 }), 'tcp', 1)).toMatchObject({
      error: 1,
      done: true,
    });
    expect(decodeChunk(message({ type: 3, flags: 2, status: -12 }), 'tcp', 1)).toMatchObject({ error: 12 });
  });

  it('survives any bytes', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.constantFrom<Protocol>('tcp', 'udp'),
        (bytes, protocol) => {
          decodeChunk(bytes, protocol, 0);
        },
      ),
    );
  });

  it('survives a reply with some bytes changed', () => {
    const [first] = captured('tcp', 'ipv6');
    const change = fc.tuple(fc.nat(first!.length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { maxLength: 12 }), (changes) => {
        const bytes = Uint8Array.from(first!);
        for (const [at, value] of changes) bytes[at] = value;
        for (const row of decodeChunk(bytes, 'tcp', capturedSequence).rows) {
          expect(row.port).toBeGreaterThanOrEqual(0);
          expect(row.port).toBeLessThanOrEqual(65535);
        }
      }),
    );
  });
});

function message({ type, flags, status }: { type: number; flags: number; status: number }): Uint8Array {
  const bytes = new Uint8Array(20);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 20, true);
  view.setUint16(4, type, true);
  view.setUint16(6, flags, true);
  view.setUint32(8, 1, true);
  view.setInt32(16, status, true);
  return bytes;
}

describe('encodeRequest', () => {
  it('lays out struct inet_diag_req_v2 behind the header', () => {
    const request = {
      protocol: 'udp',
      family: 'ipv6',
      states: stateMask.all,
      port: 0x1234,
      sequence: 9,
    } as const;
    const hex = Buffer.from(encodeRequest(request)).toString('hex');
    const header = '48000000' + '1400' + '0103' + '09000000' + '00000000';
    expect(hex).toBe(`${header}0a110000ff3f00001234${'00'.repeat(46)}`);
  });
});
