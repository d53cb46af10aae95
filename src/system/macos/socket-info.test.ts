// Sockets of macOS from bytes made after XNU's published layouts.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type MadeSocket, socketBytes } from '../../../test/support/macos.ts';
import { decodeDescriptors, decodeSocket } from './socket-info.ts';

const ipv6 = (...tail: number[]) => [...new Array(16 - tail.length).fill(0), ...tail];
const decode = (made: Partial<MadeSocket> & Pick<MadeSocket, 'local'>) =>
  decodeSocket(socketBytes({ fd: 3, handle: 0xfeed_beefn, ...made }));

describe('decodeSocket()', () => {
  it('reads a listener on IPv4, with its queue', () => {
    expect(decode({ local: [[127, 0, 0, 1], 8080] })).toEqual({
      ...{ protocol: 'tcp', family: 'ipv4', address: '127.0.0.1', port: 8080, state: 'listen' },
      ...{ remoteAddress: null, remotePort: null, id: 'feedbeef', uid: null, namespace: null },
      ...{ receiveQueue: 3, sendQueue: 511, v6only: null },
    });
  });

  it('reads a connection, with its bytes in flight', () => {
    const local: MadeSocket['local'] = [[10, 0, 0, 1], 50_000];
    expect(decode({ local, remote: [[10, 0, 0, 2], 443], state: 4 })).toMatchObject({
      ...{ address: '10.0.0.1', port: 50_000, remoteAddress: '10.0.0.2', remotePort: 443 },
      ...{ state: 'established', receiveQueue: 70, sendQueue: 80 },
    });
  });

  it('tells a dual-stack listener from one of IPv6 alone', () => {
    const both = decode({ family: 30, versions: 3, local: [ipv6(), 80] });
    expect(both).toMatchObject({ family: 'ipv6', address: '::', v6only: false });
    expect(decode({ family: 30, versions: 2, local: [ipv6(), 80] })).toMatchObject({ v6only: true });
  });

  it('reads a connection over IPv4 on a socket of IPv6', () => {
    const made = { family: 30 as const, versions: 1, state: 4 };
    expect(decode({ ...made, local: [[10, 0, 0, 1], 80], remote: [[10, 0, 0, 2], 1024] })).toMatchObject({
      ...{ family: 'ipv6', address: '::ffff:10.0.0.1', remoteAddress: '::ffff:10.0.0.2' },
    });
  });

  it('takes the interface out of a link-local address', () => {
    const bytes = [0xfe, 0x80, 0, 4, ...ipv6(1).slice(4)];
    expect(decode({ family: 30, local: [bytes, 80] })).toMatchObject({ address: 'fe80::1%4' });
  });

  it('reads UDP, and passes over ICMP and what has no port', () => {
    expect(decode({ protocol: 17, local: [[0, 0, 0, 0], 5353] })).toMatchObject({
      ...{ protocol: 'udp', address: '0.0.0.0', port: 5353, state: 'unconnected' },
    });
    expect(decode({ protocol: 1, local: [[0, 0, 0, 0], 5353] })).toBeNull();
    expect(decode({ local: [[0, 0, 0, 0], 0] })).toBeNull();
    expect(decode({ family: 30, kind: 3, local: [ipv6(), 80] })).toBeNull();
  });

  it('names every state; a closed socket with a port and no peer is bound', () => {
    const states = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 99].map(
      (state) => decode({ state, local: [[10, 0, 0, 1], 1], remote: [[10, 0, 0, 2], 2] })!.state,
    );
    expect(states).toEqual([
      ...['closed', 'listen', 'syn-sent', 'syn-received', 'established', 'close-wait', 'fin-wait-1'],
      ...['closing', 'last-ack', 'fin-wait-2', 'time-wait', 'closed', 'closed'],
    ]);
    expect(decode({ state: 0, local: [[10, 0, 0, 1], 1] })!.state).toBe('bound');
  });

  it('never reads outside of the bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 900 }), (bytes) => void decodeSocket(bytes)));
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 792, maxLength: 792 }), (bytes) => {
        const row = decodeSocket(bytes);
        expect(row === null || (row.port > 0 && row.port <= 65_535)).toBe(true);
      }),
    );
  });
});

it('lists the descriptors that are sockets, of the bytes that were filled', () => {
  const bytes = new Uint8Array(Int32Array.of(0, 1, 3, 2, 7, 2, 9, 2).buffer);
  expect(decodeDescriptors(bytes, 24)).toEqual([3, 7]);
  expect(decodeDescriptors(bytes, 99)).toEqual([3, 7, 9]);
});
