// The bytes of PROC_PIDLISTFDS and PROC_PIDFDSOCKETINFO as sockets. Pure: no call is made here.
import { formatAddressBytes } from '../../core/address.ts';
import type { SocketRow, SocketState } from '../system.ts';

/**
 * bsd/sys/proc_info.h of XNU (read at the release of 2021 and later; arm64 and x86_64 agree). Offsets of
 * struct socket_fdinfo: a proc_fileinfo of 24 bytes, then socket_info with its vinfo_stat of 136.
 */
export const socketInfo = {
  size: 792,
  handle: 160,
  protocol: 180,
  family: 184,
  state: 192,
  queued: 194,
  queueLimit: 198,
  received: 208,
  toSend: 232,
  kind: 256,
  /** struct in_sockinfo, alone or at the start of tcp_sockinfo. */
  inet: 264,
} as const;

/** struct in_sockinfo, then tcpsi_state of struct tcp_sockinfo. */
const inet = { remotePort: 0, localPort: 4, versions: 24, remote: 32, local: 48, tcpState: 80 } as const;

/** An IPv4 address is in the last four bytes of the sixteen (struct in4in6_addr). */
const ipv4InAddress = 12;
const version = { ipv4: 1, ipv6: 2 } as const;
const kinds: Record<number, 'tcp' | 'inet'> = { 1: 'inet', 2: 'tcp' };

const AF_INET = 2;
const AF_INET6 = 30;
const IPPROTO_UDP = 17;

/** struct proc_fdinfo. */
export const descriptor = { size: 8, socket: 2 } as const;

/** TSI_S_*; a closed socket that has a port is looked at again below. */
const states: readonly SocketState[] = [
  ...(['closed', 'listen', 'syn-sent', 'syn-received', 'established', 'close-wait'] as const),
  ...(['fin-wait-1', 'closing', 'last-ack', 'fin-wait-2', 'time-wait', 'closed'] as const),
];

/** The descriptors that are sockets, from as many bytes as the call filled. */
export function decodeDescriptors(bytes: Uint8Array, filled: number): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found: number[] = [];
  for (let at = 0; at + descriptor.size <= Math.min(filled, bytes.length); at += descriptor.size) {
    if (view.getUint32(at + 4, true) === descriptor.socket) found.push(view.getInt32(at, true));
  }
  return found;
}

/** Null for what is no TCP or UDP socket, or has no port yet. */
export function decodeSocket(bytes: Uint8Array): SocketRow | null {
  if (bytes.length < socketInfo.size) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const kind = kinds[view.getInt32(socketInfo.kind, true)];
  const family = view.getInt32(socketInfo.family, true);
  if (kind === undefined || (family !== AF_INET && family !== AF_INET6)) return null;
  // Raw sockets and those of ICMP are of the same kind as UDP.
  if (kind === 'inet' && view.getInt32(socketInfo.protocol, true) !== IPPROTO_UDP) return null;
  const protocol = kind === 'tcp' ? 'tcp' : 'udp';
  const base = socketInfo.inet;
  // An int that holds a port in network byte order.
  const port = view.getUint16(base + inet.localPort);
  if (port === 0) return null;
  const remotePort = view.getUint16(base + inet.remotePort);
  const connected = remotePort !== 0;
  const versions = view.getUint8(base + inet.versions);
  const row = familyOf(family, versions);
  const address = (at: number) => addressAt(bytes, base + at, row);
  const state =
    kind === 'tcp'
      ? tcpState(view.getInt32(base + inet.tcpState, true), connected)
      : connected
        ? 'established'
        : 'unconnected';
  const listens = state === 'listen';
  return {
    protocol,
    family: row.family,
    address: address(inet.local),
    port,
    remoteAddress: connected ? address(inet.remote) : null,
    remotePort: connected ? remotePort : null,
    state,
    id: view.getBigUint64(socketInfo.handle, true).toString(16),
    uid: null,
    receiveQueue: listens
      ? view.getInt16(socketInfo.queued, true)
      : view.getUint32(socketInfo.received, true),
    sendQueue: listens ? view.getInt16(socketInfo.queueLimit, true) : view.getUint32(socketInfo.toSend, true),
    // A socket on IPv6 that takes IPv4 as well carries both versions (tcp6_usr_bind).
    v6only: row.family === 'ipv6' ? (versions & version.ipv4) === 0 : null,
    namespace: null,
  };
}

interface Shape {
  family: 'ipv4' | 'ipv6';
  /** Of a connection over IPv4 on a socket of IPv6. */
  mapped: boolean;
}

function familyOf(family: number, versions: number): Shape {
  if (family === AF_INET) return { family: 'ipv4', mapped: false };
  return { family: 'ipv6', mapped: versions === version.ipv4 };
}

function addressAt(bytes: Uint8Array, at: number, { family, mapped }: Shape): string {
  if (family === 'ipv4') return formatAddressBytes('ipv4', bytes, at + ipv4InAddress);
  if (mapped) return `::ffff:${formatAddressBytes('ipv4', bytes, at + ipv4InAddress)}`;
  // KAME keeps the interface of a link-local address in its second group, which is no part of the address.
  const linkLocal = bytes[at] === 0xfe && (bytes[at + 1]! & 0xc0) === 0x80;
  if (!linkLocal) return formatAddressBytes('ipv6', bytes, at);
  const own = bytes.slice(at, at + 16);
  const zone = (own[2]! << 8) | own[3]!;
  own.fill(0, 2, 4);
  return `${formatAddressBytes('ipv6', own)}${zone === 0 ? '' : `%${zone}`}`;
}

/** BSD has no state of its own for a socket that is bound and neither listens nor is connected. */
function tcpState(number: number, connected: boolean): SocketState {
  const state = states[number] ?? 'closed';
  return state === 'closed' && !connected ? 'bound' : state;
}
