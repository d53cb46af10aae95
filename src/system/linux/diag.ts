// Messages of netlink's sock_diag (sock_diag(7), linux/inet_diag.h), to and from bytes. Pure; nothing is sent here.
import { type Family, formatAddressBytes } from '../../core/address.ts';
import type { Protocol } from '../../core/endpoint.ts';
import type { SocketRow, SocketState } from '../system.ts';

const messageType = { error: 2, done: 3, byFamily: 20 } as const;
const flag = { request: 0x1, dumpInterrupted: 0x10, dump: 0x300 } as const;
const attributeV6only = 11;
const headerSize = 16;
const rowSize = 72;
const requestSize = 56;

const addressFamily: Record<Family, number> = { ipv4: 2, ipv6: 10 };
const protocolNumber: Record<Protocol, number> = { tcp: 6, udp: 17 };

/** By the kernel's number (net/tcp_states.h). 7, CLOSE, means different things for TCP and UDP: see stateOf. */
const stateNames: Partial<Record<number, SocketState>> = {
  1: 'established',
  2: 'syn-sent',
  3: 'syn-received',
  4: 'fin-wait-1',
  5: 'fin-wait-2',
  6: 'time-wait',
  8: 'close-wait',
  9: 'last-ack',
  10: 'listen',
  11: 'closing',
  12: 'syn-received',
};

/**
 * Linux has no state for a TCP socket that is bound and nothing more: it is CLOSE. Since Linux 6.8 asking for the
 * pseudo-state 13 (TCP_BOUND_INACTIVE) adds those to a dump, still with state 7; older kernels ignore the bit.
 */
export const stateMask = { all: 0x3fff, tcpListening: 1 << 10, udpListening: 1 << 7 } as const;

export interface DiagRequest {
  protocol: Protocol;
  family: Family;
  states: number;
  /** 0: every port. The kernel does not apply it to bound sockets that do not listen: filter the rows again. */
  port: number;
  sequence: number;
}

export function encodeRequest(request: DiagRequest): Uint8Array {
  const bytes = new Uint8Array(headerSize + requestSize);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length, true);
  view.setUint16(4, messageType.byFamily, true);
  view.setUint16(6, flag.request | flag.dump, true);
  view.setUint32(8, request.sequence, true);
  view.setUint8(16, addressFamily[request.family]);
  view.setUint8(17, protocolNumber[request.protocol]);
  // INET_DIAG_SKV6ONLY needs no request bit: the kernel adds it to every IPv6 row that listens or is CLOSE.
  view.setUint32(20, request.states, true);
  view.setUint16(24, request.port);
  return bytes;
}

/** What one datagram held. `interrupted`: the table changed under the dump, so rows may be missing or double. */
export interface DiagChunk {
  rows: SocketRow[];
  done: boolean;
  interrupted: boolean;
  /** errno that the kernel answered with; 0 for none. */
  error: number;
}

/** Reads one received datagram. Messages of another sequence (an earlier, abandoned dump) are passed over. */
export function decodeChunk(bytes: Uint8Array, protocol: Protocol, sequence: number): DiagChunk {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const chunk: DiagChunk = { rows: [], done: false, interrupted: false, error: 0 };
  for (let at = 0; at + headerSize <= bytes.length; ) {
    const length = view.getUint32(at, true);
    if (length < headerSize || at + length > bytes.length) {
      // Cut off: what is missing cannot be guessed, so the dump counts as interrupted and is asked for again.
      chunk.interrupted = true;
      break;
    }
    if (view.getUint32(at + 8, true) === sequence) readMessage(view, at, length, protocol, chunk);
    at += (length + 3) & ~3;
  }
  return chunk;
}

function readMessage(view: DataView, at: number, length: number, protocol: Protocol, chunk: DiagChunk): void {
  const type = view.getUint16(at + 4, true);
  if (view.getUint16(at + 6, true) & flag.dumpInterrupted) chunk.interrupted = true;
  const hasStatus = length >= headerSize + 4;
  if (type === messageType.error) {
    chunk.error = hasStatus ? -view.getInt32(at + headerSize, true) : 0;
    chunk.done = true;
  } else if (type === messageType.done) {
    // A dump that fails half way puts a negative errno where a whole one has 0.
    const status = hasStatus ? view.getInt32(at + headerSize, true) : 0;
    if (status < 0) chunk.error = -status;
    chunk.done = true;
  } else if (type === messageType.byFamily && length >= headerSize + rowSize) {
    const row = readRow(view, at + headerSize, at + length, protocol);
    if (row) chunk.rows.push(row);
  }
}

/** struct inet_diag_msg and its attributes. Ports and addresses are in network order, the rest in the host's. */
function readRow(view: DataView, at: number, end: number, protocol: Protocol): SocketRow | null {
  const kernelFamily = view.getUint8(at);
  const family = kernelFamily === 2 ? 'ipv4' : kernelFamily === 10 ? 'ipv6' : null;
  if (family === null) return null;
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  const state = stateOf(protocol, view.getUint8(at + 1));
  const remotePort = view.getUint16(at + 6);
  const inode = view.getUint32(at + 68, true);
  return {
    protocol,
    family,
    address: formatAddressBytes(family, bytes, at + 8),
    port: view.getUint16(at + 4),
    remoteAddress: remotePort === 0 ? null : formatAddressBytes(family, bytes, at + 24),
    remotePort: remotePort === 0 ? null : remotePort,
    state,
    id: inode === 0 ? null : String(inode),
    // TIME_WAIT and half-open rows belong to no socket: the kernel fills in 0, which is nobody rather than root.
    uid: inode === 0 ? null : view.getUint32(at + 64, true),
    receiveQueue: view.getUint32(at + 56, true),
    sendQueue: view.getUint32(at + 60, true),
    v6only: family === 'ipv6' ? readV6only(view, at + rowSize, end) : null,
    namespace: null,
  };
}

function readV6only(view: DataView, at: number, end: number): boolean | null {
  while (at + 4 <= end) {
    const length = view.getUint16(at, true);
    if (length < 4 || at + length > end) return null;
    if (view.getUint16(at + 2, true) === attributeV6only && length >= 5) return view.getUint8(at + 4) !== 0;
    at += (length + 3) & ~3;
  }
  return null;
}

/** For both sources: /proc/net uses the same numbers. */
export function stateOf(protocol: Protocol, number: number): SocketState {
  if (number === 7) return protocol === 'udp' ? 'unconnected' : 'bound';
  return stateNames[number] ?? 'closed';
}
