// The socket table of Linux: sock_diag where the kernel allows it, /proc/net else; other network namespaces on request.
import { OsError, ReeveError } from '../../core/errors.ts';
import { inRanges } from '../../core/range.ts';
import { plural } from '../../core/text.ts';
import { libc } from '../../ffi/index.ts';
import type { SocketQuery, SocketRow, Sockets, SocketTable } from '../system.ts';
import { createKernelHolders } from './bpf/index.ts';
import { findHolders } from './descriptors.ts';
import { type Namespace, openInNamespace, otherNamespaces } from './namespaces.ts';
import { openDiag, readDiag } from './netlink.ts';
import { readProcNet } from './procnet.ts';

/** `auto` falls back to /proc/net where sock_diag is refused; the others force one of them. */
export type SocketSource = 'auto' | 'sock_diag' | 'procfs';

/** `auto` walks through /proc where the kernel does not tell; the others force one of them. */
export type HolderSource = 'auto' | 'bpf' | 'walk';

const ownNet = '/proc/thread-self/net';
const blindOfProcfs = [
  'TCP sockets that are bound but do not listen are not shown',
  'whether an IPv6 socket takes IPv4 connections as well is not known',
];
const unsettled = 'the socket table kept changing while it was read: rows may be missing';
/** Linux 6.8 is the first that shows bound sockets over sock_diag. */
const blindBefore68 = 'TCP sockets that are bound but do not listen are not shown (needs Linux 6.8)';

export function createSockets(source: SocketSource, kernel: string, holderSource: HolderSource): Sockets {
  const kernelHolders = createKernelHolders();
  return {
    async table(query = {}) {
      const own = await readOwn(source, query, kernel);
      if (query.allNamespaces) await addOthers(own, source, query);
      const { ports } = query;
      if (ports) own.rows = own.rows.filter((row) => inRanges(ports, row.port));
      return own;
    },
    async holders(ids) {
      if (ids.size === 0) return { pids: new Map(), unreadable: 0 };
      // It sees every process, so nothing is unreadable.
      const pids = holderSource === 'walk' ? null : await kernelHolders(ids);
      if (pids) return { pids, unreadable: 0 };
      if (holderSource === 'bpf')
        throw new ReeveError('unsupported', 'the kernel does not tell who holds a socket');
      return findHolders(ids);
    },
  };
}

async function readOwn(source: SocketSource, query: SocketQuery, kernel: string): Promise<SocketTable> {
  if (source !== 'procfs') {
    try {
      const { rows, changed } = await readOver(openDiag(), query);
      const blindSpots = changed ? [unsettled] : [];
      if (!query.listening && isBefore68(kernel)) blindSpots.push(blindBefore68);
      return { rows, source: 'sock_diag', blindSpots };
    } catch (error) {
      // A sandbox, or a kernel without inet_diag. Any failure here leaves /proc/net to ask.
      if (source === 'sock_diag' || !(error instanceof OsError)) throw error;
    }
  }
  return { rows: readProcNet(ownNet, query), source: 'procfs', blindSpots: [...blindOfProcfs] };
}

async function readOver(fd: number, query: SocketQuery): Promise<{ rows: SocketRow[]; changed: boolean }> {
  try {
    const { rows, unsettled: changed } = await readDiag(fd, query);
    return { rows, changed };
  } finally {
    libc.close(fd);
  }
}

async function addOthers(table: SocketTable, source: SocketSource, query: SocketQuery): Promise<void> {
  const { namespaces, hidden } = otherNamespaces();
  let fromText = 0;
  let unread = 0;
  for (const namespace of namespaces) {
    const part = await readOther(namespace, source, query);
    if (part === null) unread += 1;
    else {
      if (part.source === 'procfs') fromText += 1;
      for (const row of part.rows) table.rows.push({ ...row, namespace: namespace.name });
    }
  }
  const names = (count: number) => plural(count, 'other network namespace');
  if (fromText > 0 && table.source !== 'procfs') {
    table.blindSpots.push(
      `${names(fromText)} could not be entered (needs CAP_SYS_ADMIN): ${blindOfProcfs[0]}`,
    );
  }
  if (unread > 0) table.blindSpots.push(`${names(unread)} could not be entered or read`);
  if (hidden > 0) {
    table.blindSpots.push(
      `the network namespace of ${plural(hidden, 'process', 'processes')} is not known: this needs more privilege`,
    );
  }
}

/** Entering needs privilege; the text below /proc/PID/net does not. Null where neither worked. */
async function readOther(
  namespace: Namespace,
  source: SocketSource,
  query: SocketQuery,
): Promise<SocketTable | null> {
  if (source !== 'procfs') {
    try {
      const { rows } = await readOver(openInNamespace(namespace, openDiag), query);
      return { rows, source: 'sock_diag', blindSpots: [] };
    } catch (error) {
      if (!(error instanceof OsError)) throw error;
    }
  }
  if (source === 'sock_diag') return null;
  try {
    return { rows: readProcNet(`/proc/${namespace.pid}/net`, query), source: 'procfs', blindSpots: [] };
  } catch {
    return null;
  }
}

function isBefore68(kernel: string): boolean {
  const [major = 0, minor = 0] = kernel.split('.').map(Number);
  return major < 6 || (major === 6 && minor < 8);
}
