// Asks the kernel for its socket table over a netlink sock_diag socket; blocking, but never for long.
import type { Family } from '../../core/address.ts';
import type { Protocol } from '../../core/endpoint.ts';
import { OsError } from '../../core/errors.ts';
import { checked, errnoName, libc } from '../../ffi/index.ts';
import type { SocketQuery, SocketRow } from '../system.ts';
import { type DiagRequest, decodeChunk, encodeRequest, stateMask } from './diag.ts';
import { createTurns } from './turns.ts';

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const NETLINK_SOCK_DIAG = 4;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const MSG_TRUNC = 0x20;
/** What a kernel without IPv6 answers to questions about it. */
const ENOENT = 2;

/** The kernel packs at most 32 KiB into one datagram of a dump (netlink_recvmsg), more only for a single huge message. */
const receiveSize = 64 * 1024;
const receiveTimeoutSeconds = 2;
/** A table that changes all the time is read this often before the last reading is accepted as it is. */
const maxAttempts = 4;

export interface DiagTable {
  rows: SocketRow[];
  /** The table kept changing while it was read. */
  unsettled: boolean;
}

/** Opens the socket in the thread's present network namespace, which it then stays in. @throws OsError */
export function openDiag(): number {
  const fd = checked('socket', libc.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
  const timeout = new BigInt64Array([BigInt(receiveTimeoutSeconds), 0n]);
  const bytes = new Uint8Array(timeout.buffer);
  const result = libc.setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, bytes, bytes.length);
  if (result < 0) libc.close(fd);
  checked('setsockopt', result);
  return fd;
}

/**
 * The rows that the query asks for, as far as the kernel filters: callers filter by port again.
 * @throws OsError where the kernel refuses, or EAGAIN where it does not answer within 2 s.
 */
export async function readDiag(fd: number, query: SocketQuery): Promise<DiagTable> {
  const table: DiagTable = { rows: [], unsettled: false };
  const channel = { fd, buffer: new Uint8Array(receiveSize), sequence: 0, turn: createTurns() };
  const [range, ...more] = query.ports ?? [];
  const port = range && more.length === 0 && range.first === range.last ? range.first : 0;
  for (const protocol of query.protocols ?? (['tcp', 'udp'] as Protocol[])) {
    const listening = protocol === 'tcp' ? stateMask.tcpListening : stateMask.udpListening;
    const states = query.listening ? listening : stateMask.all;
    for (const family of ['ipv4', 'ipv6'] as Family[]) {
      const part = await dumpSettled(channel, { protocol, family, states, port });
      for (const row of part.rows) table.rows.push(row);
      table.unsettled ||= part.unsettled;
    }
  }
  return table;
}

interface Channel {
  fd: number;
  buffer: Uint8Array;
  /** Of the last question. Each has its own, so that what is left of an interrupted dump answers no later one. */
  sequence: number;
  turn: () => Promise<void>;
}

async function dumpSettled(channel: Channel, request: Omit<DiagRequest, 'sequence'>): Promise<DiagTable> {
  for (let attempt = 1; ; attempt++) {
    channel.sequence += 1;
    const part = await dump(channel, { ...request, sequence: channel.sequence });
    if (!part.unsettled || attempt === maxAttempts) return part;
  }
}

async function dump({ fd, buffer, turn }: Channel, request: DiagRequest): Promise<DiagTable> {
  const message = encodeRequest(request);
  checked('send', libc.send(fd, message, message.length, 0));
  const table: DiagTable = { rows: [], unsettled: false };
  for (;;) {
    // MSG_TRUNC makes recv tell the whole length of a datagram that did not fit.
    const length = checked('recv', libc.recv(fd, buffer, buffer.length, MSG_TRUNC));
    if (length > buffer.length) table.unsettled = true;
    const part = buffer.subarray(0, Math.min(length, buffer.length));
    const chunk = decodeChunk(part, request.protocol, request.sequence);
    for (const row of chunk.rows) table.rows.push(row);
    table.unsettled ||= chunk.interrupted;
    if (chunk.error === ENOENT && request.family === 'ipv6') return table;
    if (chunk.error !== 0) throw new OsError(errnoName(chunk.error), chunk.error, 'sock_diag');
    if (chunk.done) return table;
    await turn();
  }
}
