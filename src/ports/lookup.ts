// From the socket table to sockets with their holders: the one look-up that who, why and free share.
import { formatHostPort, type Protocol } from '../core/endpoint.ts';
import type { HolderRecord, SocketRecord } from '../core/records.ts';
import { plural, printable } from '../core/text.ts';
import type { Holders, ProcessFacts, ProcessNode, SocketQuery, SocketRow, System } from '../system/index.ts';
import { addressMatches } from './target.ts';

/** Why a socket's holders are not known, and what would show them. */
export interface Hidden {
  reason: string;
  needs: string | null;
}

export interface HeldSocket {
  row: SocketRow;
  holders: ProcessFacts[];
  hidden: Hidden | null;
  /** What http.sys serves on it. */
  urls: string[];
}

export interface Lookup {
  sockets: HeldSocket[];
  /** Every process, to draw ancestors from. */
  tree: ReadonlyMap<number, ProcessNode>;
  source: string;
  blindSpots: string[];
}

/** The sockets that `keep` wants, with every process that has them open. `only` their ancestors may be in the tree. */
export async function lookUp(
  system: System,
  query: SocketQuery,
  keep: (row: SocketRow) => boolean = () => true,
  only: 'ancestors' | null = null,
): Promise<Lookup> {
  const { rows, source, blindSpots } = await system.sockets.table(query);
  const kept = rows.filter(keep);
  const ids = new Set(kept.flatMap(({ id }) => (id === null ? [] : [id])));
  const found: Holders =
    ids.size > 0 ? await system.sockets.holders(ids) : { pids: new Map(), unreadable: 0 };
  const { pids, unreadable } = found;
  const processes = await factsOf(system, new Set([...pids.values()].flat()));
  const nodes = ids.size > 0 ? await nodesOf(system, only ? processes.keys() : null) : [];
  const tree = new Map(nodes.map((node) => [node.pid, node]));
  const sockets = kept.map((row): HeldSocket => {
    const id = row.id ?? '';
    const detail = found.details?.get(id);
    const holders = (pids.get(id) ?? [])
      .map((pid) => processes.get(pid))
      .filter((process) => process !== undefined)
      // Of the services that share a process, the one that opened this socket.
      .map((process) => (detail?.service ? { ...process, services: [detail.service] } : process));
    return { row, holders, hidden: found.hidden?.get(id) ?? null, urls: detail?.urls ?? [] };
  });
  const unexplained = sockets.filter(
    ({ row, holders, hidden }) => row.id !== null && holders.length === 0 && hidden === null,
  );
  if (unexplained.length > 0) {
    const { user } = await system.host.facts();
    for (const socket of unexplained) socket.hidden = whyHidden(socket.row, unreadable, user.elevated);
  }
  return { sockets, tree, source, blindSpots };
}

async function factsOf(system: System, pids: ReadonlySet<number>): Promise<Map<number, ProcessFacts>> {
  const found = new Map<number, ProcessFacts>();
  for (const pid of pids) {
    const facts = await system.processes.facts(pid);
    if (facts) found.set(pid, facts);
  }
  return found;
}

function nodesOf({ processes }: System, holders: Iterable<number> | null): Promise<ProcessNode[]> {
  return (holders && processes.lines?.(holders)) ?? processes.list();
}

function whyHidden({ uid }: SocketRow, unreadable: number, elevated: boolean): Hidden {
  if (unreadable > 0 && !elevated) {
    const owner = uid === null ? '' : ` (the socket belongs to uid ${uid})`;
    return {
      reason: `${plural(unreadable, 'process', 'processes')} of other users may not be looked into${owner}`,
      needs: 'root',
    };
  }
  return {
    reason:
      'no process that can be looked into has it open: it belongs to the kernel, to a process in another PID namespace, or to a protected one',
    needs: null,
  };
}

/** Parent first, up to the root of the tree; ends at a loop or at 64, since the table may change while it is read. */
export function ancestorsOf(pid: number, tree: ReadonlyMap<number, ProcessNode>): ProcessNode[] {
  const line: ProcessNode[] = [];
  const seen = new Set([pid]);
  let parent = tree.get(pid)?.parent ?? null;
  while (parent !== null && !seen.has(parent) && line.length < 64) {
    const node = tree.get(parent);
    if (!node) break;
    seen.add(parent);
    line.push(node);
    parent = node.parent;
  }
  return line;
}

export function holderRecord(process: ProcessFacts, tree: ReadonlyMap<number, ProcessNode>): HolderRecord {
  return {
    pid: process.pid,
    name: printable(process.name),
    command: process.command.length > 0 ? printable(process.command.join(' ')) : null,
    user: process.user === null ? null : printable(process.user),
    cwd: process.cwd === null ? null : printable(process.cwd),
    startedAt: process.startedAt?.toISOString() ?? null,
    ancestors: ancestorsOf(process.pid, tree).map(({ pid, name }) => ({ pid, name: printable(name) })),
    unit: process.unit,
    service: process.services.length > 0 ? process.services.map(printable).join(', ') : null,
    container: process.container,
  };
}

/** Records of sockets; holders of many sockets are described once. */
export function socketRecords({ sockets, tree }: Pick<Lookup, 'sockets' | 'tree'>): SocketRecord[] {
  const known = new Map<ProcessFacts, HolderRecord>();
  const record = (holder: ProcessFacts) => {
    const made = known.get(holder) ?? holderRecord(holder, tree);
    known.set(holder, made);
    return made;
  };
  return sockets.map((socket) => socketRecord(socket, record));
}

function socketRecord(
  { row, holders, hidden }: HeldSocket,
  record: (holder: ProcessFacts) => HolderRecord,
): SocketRecord {
  return {
    protocol: row.protocol,
    family: row.family,
    address: row.address,
    port: row.port,
    state: row.state,
    peer: row.remoteAddress === null ? null : formatHostPort(row.remoteAddress, row.remotePort ?? 0),
    namespace: row.namespace,
    holders: holders.map(record).sort((a, b) => a.pid - b.pid),
    hidden,
  };
}

/** TCP sockets that listen or keep a port to themselves, UDP sockets that receive from anyone. */
export function ownsPort({ state }: SocketRow): boolean {
  return state === 'listen' || state === 'unconnected' || state === 'bound';
}

/** Whoever owns one port, by the address that was asked for; every address where `host` is null. */
export function lookUpOwners(
  system: System,
  protocol: Protocol,
  host: string | null,
  port: number,
): Promise<Lookup> {
  const query = { protocols: [protocol], ports: [{ first: port, last: port }] };
  return lookUp(system, query, (row) => ownsPort(row) && addressMatches(host, row));
}
