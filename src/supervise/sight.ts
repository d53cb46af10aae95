// Who listens where, seen from one process tree: on its own ports, and elsewhere. Reads the socket table.
import { isLoopback } from '../core/address.ts';
import type { Log } from '../core/context.ts';
import { formatHostPort } from '../core/endpoint.ts';
import { errorMessage, isReeveError } from '../core/errors.ts';
import { printable } from '../core/text.ts';
import type { ProcessNode, SocketRow, System } from '../system/index.ts';
import { markName } from '../system/index.ts';

/** `unknown`: somebody who cannot be looked into, and who may well be of the tree. */
export type Listening = 'nobody' | 'own' | 'unknown' | Stranger;

export interface Stranger {
  pid: number | null;
  /** `PID 4711 (nc, user bob)`. */
  words: string;
}

/** A process that somebody started, and the mark that all its descendants have in their environment. */
export interface Root {
  pid: number | null;
  mark: string;
}

export interface Seen {
  /** Whoever gets a connection to 127.0.0.1 and this port. */
  on: ReadonlyMap<number, Listening>;
  /** `host:port` of every other TCP socket that the tree listens on. */
  elsewhere: readonly string[];
}

export interface Sight {
  /** Null where the table cannot be read; that is told once. */
  look(root: Root, ports: readonly number[]): Promise<Seen | null>;
  /** The sockets that connections to these ports reach: another text once they are others. Asks for no holders. */
  reached(ports: readonly number[]): Promise<string | null>;
}

/** The first of the ports that is a stranger's. */
export function strangerOn(seen: Seen | null): { port: number; holder: Stranger } | null {
  for (const [port, listening] of seen?.on ?? []) {
    if (typeof listening === 'object') return { port, holder: listening };
  }
  return null;
}

/** Whoever listens there, whoever asks. */
export async function holderOf(sight: Sight, port: number): Promise<Stranger | null> {
  return strangerOn(await sight.look({ pid: null, mark: '' }, [port]))?.holder ?? null;
}

interface Snapshot {
  rows: SocketRow[];
  holders: ReadonlyMap<string, number[]>;
  tree: ReadonlyMap<number, ProcessNode>;
}

export function createSight(system: System, log: Log): Sight {
  const snapshot = shared(() => takeSnapshot(system));
  const table = shared(() => listeners(system));
  let told = false;

  return {
    async look(root, ports) {
      try {
        return await judge(await snapshot(), root, ports, system);
      } catch (error) {
        const unsupported = isReeveError(error) && error.code === 'unsupported';
        if (!told)
          log.warn(
            {},
            `who listens on an instance's port is not verified: ${printable(errorMessage(error))}`,
          );
        // A table that fails once (no descriptors left) may be readable the next time.
        told ||= unsupported;
        return null;
      }
    },
    async reached(ports) {
      // The look that comes first tells why it cannot be read.
      const rows = await table().catch(() => null);
      if (!rows) return null;
      const ids = ports.map((port) =>
        reachedRows(rows.filter((row) => row.port === port)).map(({ id }) => id),
      );
      return ids.map((some) => some.sort().join(' ')).join(', ');
    },
  };
}

/** Whoever asks while one is being taken shares the one after it: each is of a moment after its question. */
function shared<Taken>(take: () => Promise<Taken>): () => Promise<Taken> {
  let running: Promise<unknown> = Promise.resolve();
  let next: Promise<Taken> | null = null;
  return () => {
    if (next) return next;
    const mine = running.then(() => {
      next = null;
      return take();
    });
    next = mine;
    running = mine.catch(() => {});
    return mine;
  };
}

async function listeners({ sockets }: System): Promise<SocketRow[]> {
  return (await sockets.table({ protocols: ['tcp'], listening: true })).rows;
}

async function takeSnapshot(system: System): Promise<Snapshot> {
  const { sockets, processes } = system;
  const rows = await listeners(system);
  const { pids } = await sockets.holders(new Set(rows.flatMap(({ id }) => id ?? [])));
  // Only now: whoever was born into the tree a moment ago and listens already is in this list.
  const tree = new Map((await processes.list()).map((node) => [node.pid, node]));
  return { rows, holders: pids, tree };
}

async function judge(
  { rows, holders, tree }: Snapshot,
  root: Root,
  ports: readonly number[],
  system: System,
): Promise<Seen> {
  const pidsOf = ({ id }: SocketRow) => holders.get(id ?? '') ?? [];
  const inTree = (pid: number) => descendsFrom(pid, root.pid, tree);
  const on = new Map<number, Listening>();
  for (const port of ports) {
    const reached = reachedRows(rows.filter((row) => row.port === port));
    on.set(port, await listening(reached));
  }
  const elsewhere = rows
    .filter((row) => !ports.includes(row.port) && pidsOf(row).some(inTree))
    .map(({ address, port }) => formatHostPort(address, port));
  return { on, elsewhere: [...new Set(elsewhere)] };

  async function listening(reached: SocketRow[]): Promise<Listening> {
    if (reached.length === 0) return 'nobody';
    const pids = reached.flatMap(pidsOf);
    if (pids.length === 0) return hidden(reached[0]!);
    const others = pids.filter((pid) => !inTree(pid));
    if (others.length < pids.length) return 'own';
    // A server that detached itself from its family still has the mark.
    const marked = await system.containment.marked(markName, root.mark).catch(() => []);
    if (others.some((pid) => marked.some((one) => one.pid === pid))) return 'own';
    return { pid: others[0]!, words: await wordsFor(others[0]!, system) };
  }

  async function hidden({ uid }: SocketRow): Promise<Listening> {
    // One of this user's own may not be looked into either, such as a program with capabilities.
    if (uid === null || uid === process.getuid?.()) return 'unknown';
    return { pid: null, words: `a process of the user with number ${uid}, which only root may look into` };
  }
}

/**
 * The sockets that compete for a connection to 127.0.0.1: the kernel prefers one bound to that address, then IPv4's
 * wildcard, then IPv6's where it takes IPv4 (Linux inet_lookup_listener, by score).
 */
function reachedRows(rows: SocketRow[]): SocketRow[] {
  const ranks = rows.map((row) => {
    if (row.namespace !== null) return 0;
    if (isLoopback(row.address) && row.family === 'ipv4') return row.address === '127.0.0.1' ? 3 : 0;
    if (row.address === '0.0.0.0') return 2;
    return row.address === '::' && row.v6only !== true ? 1 : 0;
  });
  const best = Math.max(0, ...ranks);
  return best === 0 ? [] : rows.filter((_, index) => ranks[index] === best);
}

function descendsFrom(pid: number, root: number | null, tree: ReadonlyMap<number, ProcessNode>): boolean {
  // Bounded: a table that changes while it is read may show a circle.
  for (let steps = 0, at: number | null = pid; at !== null && steps < 128; steps++) {
    if (at === root) return true;
    at = tree.get(at)?.parent ?? null;
  }
  return false;
}

async function wordsFor(pid: number, { processes }: System): Promise<string> {
  const facts = await processes.facts(pid).catch(() => null);
  if (!facts) return `PID ${pid}`;
  const user = facts.user === null ? '' : `, user ${printable(facts.user)}`;
  return `PID ${pid} (${printable(facts.name)}${user})`;
}
