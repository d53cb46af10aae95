// Socket tables as text, /proc/net/{tcp,tcp6,udp,udp6} (proc_net(5)): for where sock_diag is refused. Bound sockets are not in it.
import { readFileSync } from 'node:fs';
import { type Family, formatAddressBytes } from '../../core/address.ts';
import type { Protocol } from '../../core/endpoint.ts';
import { errorCode } from '../../core/errors.ts';
import type { SocketQuery, SocketRow } from '../system.ts';
import { stateOf } from './diag.ts';

/** Reads the tables below a `net` folder (`/proc/self/net`, or another process's for its namespace). */
export function readProcNet(folder: string, query: SocketQuery): SocketRow[] {
  const rows: SocketRow[] = [];
  for (const protocol of query.protocols ?? (['tcp', 'udp'] as Protocol[])) {
    for (const family of ['ipv4', 'ipv6'] as Family[]) {
      const text = readTable(`${folder}/${protocol}${family === 'ipv6' ? '6' : ''}`);
      for (const row of parseProcNet(text, protocol, family)) {
        if (!query.listening || row.state === (protocol === 'tcp' ? 'listen' : 'unconnected')) rows.push(row);
      }
    }
  }
  return rows;
}

/** Missing where the kernel has no IPv6. */
function readTable(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch (error) {
    if (errorCode(error) === 'ENOENT' && file.endsWith('6')) return '';
    throw error;
  }
}

/** `sl: local:port remote:port state tx:rx tr:when retransmits uid timeout inode …`; lines of another shape are passed over. */
const line =
  /^\s*\d+: ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) ([0-9A-F]{2}) ([0-9A-F]{8}):([0-9A-F]{8}) \S+ +[0-9A-F]+ +(\d+) +\d+ +(\d+)/;

export function parseProcNet(text: string, protocol: Protocol, family: Family): SocketRow[] {
  const rows: SocketRow[] = [];
  const digits = family === 'ipv4' ? 8 : 32;
  for (const each of text.split('\n')) {
    const match = line.exec(each);
    if (!match || match[1]!.length !== digits || match[3]!.length !== digits) continue;
    const remotePort = Number.parseInt(match[4]!, 16);
    const inode = match[9]!;
    const state = stateOf(protocol, Number.parseInt(match[5]!, 16));
    rows.push({
      protocol,
      family,
      address: readAddress(family, match[1]!),
      port: Number.parseInt(match[2]!, 16),
      remoteAddress: remotePort === 0 ? null : readAddress(family, match[3]!),
      remotePort: remotePort === 0 ? null : remotePort,
      state,
      id: inode === '0' ? null : inode,
      uid: inode === '0' ? null : Number(match[8]),
      receiveQueue: Number.parseInt(match[7]!, 16),
      // The backlog of a listener is not in the text: the column is always 0 there.
      sendQueue: state === 'listen' ? null : Number.parseInt(match[6]!, 16),
      v6only: null,
      namespace: null,
    });
  }
  return rows;
}

/** Printed as 32-bit numbers of the host, so each four bytes come reversed (x64 and arm64 are little-endian). */
function readAddress(family: Family, hex: string): string {
  const bytes = Buffer.from(hex, 'hex').swap32();
  return formatAddressBytes(family, bytes);
}
