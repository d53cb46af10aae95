// who: which process has which socket open.

import { inRange } from '../core/range.ts';
import type { SocketRecord, WhoRecord } from '../core/records.ts';
import { sleep } from '../core/time.ts';
import type { SocketQuery, SocketRow, System } from '../system/index.ts';
import { type HeldSocket, type Lookup, lookUp, ownsPort, socketRecords } from './lookup.ts';
import { addressMatches, type Target } from './target.ts';

export interface WhoOptions {
  /** Also sockets that are connected, closing or waiting. */
  allStates?: boolean;
  /** Also sockets of other network namespaces, each marked with its own. */
  allNamespaces?: boolean;
}

/** Sockets that match any of the targets; without targets every listening one. Sorted by port. */
export async function who(
  system: System,
  targets: Target[] = [],
  options: WhoOptions = {},
): Promise<WhoRecord> {
  return { sockets: socketRecords(await select(system, targets, options)).sort(bySocket) };
}

async function select(system: System, targets: Target[], options: WhoOptions): Promise<Lookup> {
  const found = await lookUp(
    system,
    queryFor(targets, options),
    (row) => rowMatches(row, targets, options),
    'ancestors',
  );
  const byProcess = targets.filter((target) => target.kind !== 'ports');
  if (byProcess.length === 0) return found;
  return { ...found, sockets: found.sockets.filter((socket) => socketMatches(socket, targets)) };
}

function queryFor(targets: Target[], { allStates, allNamespaces }: WhoOptions): SocketQuery {
  const ports = targets.filter((target) => target.kind === 'ports');
  const onlyPorts = targets.length > 0 && ports.length === targets.length;
  return {
    ...(onlyPorts ? { ports: ports.map(({ range }) => range) } : {}),
    // A port in question may be held by a socket that does not listen; a plain list is of listeners.
    ...(allStates || onlyPorts ? {} : { listening: true }),
    ...(allNamespaces ? { allNamespaces } : {}),
  };
}

function rowMatches(row: SocketRow, targets: Target[], { allStates }: WhoOptions): boolean {
  if (!allStates && !ownsPort(row)) return false;
  if (targets.length === 0) return true;
  return targets.some((target) => target.kind !== 'ports' || portMatches(row, target));
}

function portMatches(row: SocketRow, target: Extract<Target, { kind: 'ports' }>): boolean {
  return (
    inRange(target.range, row.port) &&
    (target.protocol === null || target.protocol === row.protocol) &&
    addressMatches(target.host, row)
  );
}

function socketMatches({ row, holders }: HeldSocket, targets: Target[]): boolean {
  if (targets.length === 0) return true;
  return targets.some((target) => {
    if (target.kind === 'ports') return portMatches(row, target);
    if (target.kind === 'pid') return holders.some(({ pid }) => pid === target.pid);
    return holders.some(({ name }) => name.toLowerCase().includes(target.name));
  });
}

function bySocket(a: SocketRecord, b: SocketRecord): number {
  return (
    a.port - b.port ||
    a.protocol.localeCompare(b.protocol) ||
    a.family.localeCompare(b.family) ||
    a.address.localeCompare(b.address) ||
    (a.peer ?? '').localeCompare(b.peer ?? '')
  );
}

export interface WhoChange {
  at: string;
  change: 'opened' | 'closed';
  socket: SocketRecord;
}

/** A reading of the table takes at most this part of a core, on average; */
const mostLoad = 0.01;
/** but changes are noticed within this time. */
const longestPauseMs = 10_000;

/**
 * Changes of what `who` shows, as they are noticed: the table is read every `intervalMs`, more rarely where it is so
 * large that this would take more than a hundredth of a core. Holders are looked up for new sockets only. What opens
 * and closes between two reads is not seen. Ends when the signal aborts.
 */
export async function* watchWho(
  system: System,
  targets: Target[],
  options: WhoOptions & { intervalMs?: number },
  signal: AbortSignal,
): AsyncGenerator<WhoChange> {
  let before: Snapshot | null = null;
  while (!signal.aborted) {
    const used = process.cpuUsage();
    const { rows } = await system.sockets.table(queryFor(targets, options));
    const { user, system: kernel } = process.cpuUsage(used);
    const pause = Math.min((user + kernel) / 1000 / mostLoad, longestPauseMs);
    const kept = rows.filter((row) => rowMatches(row, targets, options)).map(keyOf);
    const now: Snapshot = await snapshot(system, targets, options, kept, before);
    const at = new Date().toISOString();
    if (before) {
      for (const [key, socket] of before) if (socket && !now.has(key)) yield { at, change: 'closed', socket };
      for (const [key, socket] of now) if (socket && !before.has(key)) yield { at, change: 'opened', socket };
    }
    before = now;
    await sleep(Math.max(options.intervalMs ?? 500, pause), signal).catch(() => {});
  }
}

/** Every socket that the rows alone could make one of those asked for; null where its holder is not. */
type Snapshot = Map<string, SocketRecord | null>;

async function snapshot(
  system: System,
  targets: Target[],
  options: WhoOptions,
  keys: readonly string[],
  known: Snapshot | null,
): Promise<Snapshot> {
  const fresh = new Set(keys.filter((key) => !known?.has(key)));
  const found = await lookUpFresh(system, targets, options, fresh);
  const now: Snapshot = new Map();
  for (const key of keys) {
    const record = known?.get(key) ?? found.get(key);
    // Undefined: it was gone when its holder was looked for.
    if (record !== undefined || known?.has(key)) now.set(key, record ?? null);
  }
  return now;
}

async function lookUpFresh(
  system: System,
  targets: Target[],
  options: WhoOptions,
  fresh: ReadonlySet<string>,
): Promise<Snapshot> {
  if (fresh.size === 0) return new Map();
  const { sockets, tree } = await lookUp(
    system,
    queryFor(targets, options),
    (row) => fresh.has(keyOf(row)),
    'ancestors',
  );
  const records = socketRecords({ sockets, tree });
  return new Map(
    sockets.map((socket, i) => [keyOf(socket.row), socketMatches(socket, targets) ? records[i]! : null]),
  );
}

function keyOf(row: SocketRow): string {
  return [row.namespace, row.protocol, row.address, row.port, row.remoteAddress, row.remotePort, row.id].join(
    ' ',
  );
}
