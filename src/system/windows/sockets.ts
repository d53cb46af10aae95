// The socket table of Windows, from iphlpapi, with the process that owns each socket and the service in it.
import type { Family } from '../../core/address.ts';
import type { Protocol } from '../../core/endpoint.ts';
import { inRanges } from '../../core/range.ts';
import { iphlpapi, net, win, win32Error } from '../../ffi/index.ts';
import type { Holders, SocketDetail, SocketQuery, SocketRow, Sockets } from '../system.ts';
import type { HttpQueues } from './http-sys.ts';
import { runningSince } from './processes.ts';
import type { RunningServices } from './services.ts';
import { decodeTable, type TableRow } from './tables.ts';

const families = { ipv4: net.AF_INET, ipv6: net.AF_INET6 } as const;
/** System: sockets of drivers, such as http.sys and SMB. */
const systemPid = 4;

const blindSpots = [
  'TCP sockets that are bound but do not listen may not be shown',
  'whether an IPv6 socket takes IPv4 connections as well is not known',
];

export function createSockets(services: RunningServices, httpQueues: HttpQueues): Sockets {
  return {
    async table(query = {}) {
      const rows = (query.protocols ?? ['tcp', 'udp'])
        .flatMap((protocol) => readBoth(protocol, query.listening ?? false))
        .filter((row) => isWanted(row, query))
        .map(toSocketRow);
      return { rows, source: 'iphlpapi', blindSpots: query.listening ? [] : blindSpots };
    },
    holders: (ids) => findHolders(ids, services, httpQueues),
  };
}

function isWanted({ state, port }: TableRow, { listening, ports }: SocketQuery): boolean {
  if (listening && state !== 'listen' && state !== 'unconnected') return false;
  return ports === undefined || inRanges(ports, port);
}

function toSocketRow(row: TableRow): SocketRow {
  return {
    protocol: row.protocol,
    family: row.family,
    address: row.address,
    port: row.port,
    remoteAddress: row.remoteAddress,
    remotePort: row.remotePort,
    state: row.state,
    // Nobody owns a connection that is over; of others that have no PID, the owner is only not told.
    id: row.state === 'time-wait' && row.pid === 0 ? null : idOf(row),
    uid: null,
    receiveQueue: null,
    sendQueue: null,
    v6only: null,
    namespace: null,
  };
}

function idOf({ protocol, port, pid, serviceTag, created }: TableRow): string {
  return `${pid}/${serviceTag}/${protocol}/${port}/${created}`;
}

/** `startOf`: the creation time of the process that has this PID now; null where there is none. */
export async function findHolders(
  ids: ReadonlySet<string>,
  services: RunningServices,
  httpQueues: HttpQueues,
  startOf: (pid: number) => bigint | null = runningSince,
): Promise<Holders> {
  const pids = new Map<string, number[]>();
  const details = new Map<string, SocketDetail>();
  const hidden = new Map<string, { reason: string; needs: string | null }>();
  for (const id of ids) {
    const match = /^(\d+)\/(\d+)\/(tcp|udp)\/(\d+)\/(\d+)$/.exec(id);
    if (!match) continue;
    const [pid, tag, port] = [Number(match[1]), Number(match[2]), Number(match[4])] as const;
    const unknown = whyUnknown(pid, BigInt(match[5]!), startOf);
    if (unknown !== null) {
      hidden.set(id, { reason: unknown, needs: null });
      continue;
    }
    pids.set(id, [pid]);
    const service = services.byTag(pid, tag);
    const urls = pid === systemPid && match[3] === 'tcp' ? await httpQueues.on(port) : [];
    if (service !== null || urls.length > 0) {
      details.set(id, { service: urls.length > 0 ? 'HTTP' : service, urls });
    }
  }
  return { pids, unreadable: 0, details, hidden };
}

/**
 * The table names who opened a socket, and goes on doing so when that process has ended and left the socket to a
 * program that it started, and when its PID is another's by then.
 */
function whyUnknown(pid: number, opened: bigint, startOf: (pid: number) => bigint | null): string | null {
  if (pid === 0) return 'the system does not tell which process has it (PID 0)';
  const start = startOf(pid);
  const heir = 'a program that it started may have it still';
  if (start === null) return `PID ${pid} opened it and has ended; ${heir}`;
  // Wine tells no times.
  if (opened === 0n || start <= opened) return null;
  return `PID ${pid} opened it, and is another process by now; ${heir}`;
}

function readBoth(protocol: Protocol, listening: boolean): TableRow[] {
  const { TCP_TABLE_OWNER_MODULE_LISTENER, TCP_TABLE_OWNER_MODULE_ALL, UDP_TABLE_OWNER_MODULE } = net;
  // A busy machine has thousands of connections for each listener.
  const ofTcp = listening ? TCP_TABLE_OWNER_MODULE_LISTENER : TCP_TABLE_OWNER_MODULE_ALL;
  const kind = protocol === 'tcp' ? ofTcp : UDP_TABLE_OWNER_MODULE;
  return (['ipv4', 'ipv6'] as const).flatMap((family) => readTable(protocol, family, kind));
}

function readTable(protocol: Protocol, family: Family, kind: number): TableRow[] {
  const name = protocol === 'tcp' ? 'GetExtendedTcpTable' : 'GetExtendedUdpTable';
  const size = new Uint8Array(4);
  const view = new DataView(size.buffer);
  let bytes = new Uint8Array(65_536);
  // Sockets open between two calls: a little more room than was asked for, and a bound on the tries.
  for (let tries = 0; tries < 8; tries++) {
    view.setUint32(0, bytes.length, true);
    const result = iphlpapi[name](bytes, size, 1, families[family], kind, 0);
    if (result === 0) return decodeTable(bytes, protocol, family);
    if (result !== win.ERROR_INSUFFICIENT_BUFFER) throw win32Error(name, result);
    bytes = new Uint8Array(Math.min(view.getUint32(0, true) + 16_384, 1 << 28));
  }
  throw win32Error(name, win.ERROR_INSUFFICIENT_BUFFER);
}
