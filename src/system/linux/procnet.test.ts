// Reading /proc/net text: captured beside the sock_diag fixtures, on the same sockets.
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Family } from '../../core/address.ts';
import { addressBytes } from '../../core/address.ts';
import type { Protocol } from '../../core/endpoint.ts';
import { decodeChunk } from './diag.ts';
import { parseProcNet } from './procnet.ts';

const fixture = (name: string) =>
  readFileSync(new URL(`../../../test/fixtures/linux/${name}`, import.meta.url), 'utf8');

function parse(protocol: Protocol, family: Family) {
  return parseProcNet(fixture(`proc-net-${protocol}${family === 'ipv6' ? '6' : ''}.txt`), protocol, family);
}

function decode(protocol: Protocol, family: Family) {
  const parts = fixture(`sock-diag-${protocol}-${family}.hex`).trim().split('\n\n');
  return parts.flatMap((part) => decodeChunk(Buffer.from(part.replace(/\s/g, ''), 'hex'), protocol, 7).rows);
}

const byEndpoint = (a: { port: number; remotePort: number | null }, b: typeof a) =>
  a.port - b.port || (a.remotePort ?? 0) - (b.remotePort ?? 0);

describe('parseProcNet', () => {
  const tables = [
    ['tcp', 'ipv4'],
    ['tcp', 'ipv6'],
    ['udp', 'ipv4'],
    ['udp', 'ipv6'],
  ] as const;

  it.each(tables)('agrees with sock_diag on %s over %s, but for its blind spots', (protocol, family) => {
    const expected = decode(protocol, family)
      .filter((row) => row.state !== 'bound')
      .map((row) => ({ ...row, v6only: null, sendQueue: row.state === 'listen' ? null : row.sendQueue }));
    const actual = parse(protocol, family);
    expect(actual.length).toBeGreaterThan(0);
    expect(actual.sort(byEndpoint)).toEqual(expected.sort(byEndpoint));
  });

  it('reads back any row', () => {
    const address = fc.oneof(fc.ipV4(), fc.ipV6());
    fc.assert(
      fc.property(address, fc.nat(65535), fc.nat(65535), fc.nat(2 ** 31), (text, port, remotePort, inode) => {
        const family = text.includes(':') ? 'ipv6' : 'ipv4';
        const hex = Buffer.from(addressBytes(text)!).swap32().toString('hex').toUpperCase();
        const hexPort = (value: number) => value.toString(16).toUpperCase().padStart(4, '0');
        const line = `  12: ${hex}:${hexPort(port)} ${hex}:${hexPort(remotePort)} 01 0000000A:0000000B 00:00000000 00000000  1000        0 ${inode} 1 0 100`;
        const [row] = parseProcNet(line, 'tcp', family);
        expect(row).toMatchObject({ port, remotePort: remotePort || null, sendQueue: 10, receiveQueue: 11 });
        expect(addressBytes(row!.address)).toEqual(addressBytes(text));
        expect(row!.id).toBe(inode === 0 ? null : String(inode));
      }),
    );
  });

  it('passes over lines of another shape', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(parseProcNet(text, 'tcp', 'ipv4')).toEqual([]);
      }),
    );
    expect(parseProcNet(fixture('proc-net-tcp6.txt'), 'tcp', 'ipv4')).toEqual([]);
  });
});
