// The socket table of macOS: the sockets of every process that may be looked into, by libproc or by lsof.
import { inRanges } from '../../core/range.ts';
import { plural } from '../../core/text.ts';
import type { Holders, SocketQuery, SocketRow, Sockets } from '../system.ts';
import type { Scan } from './scan.ts';

export interface SocketSource {
  name: string;
  scan(): Promise<Scan>;
}

const noTimeWait = 'connections that are over (TIME_WAIT) are not shown';

/** The first source that works is kept to. */
export function createSockets(sources: readonly SocketSource[]): Sockets {
  let works: SocketSource | null = null;
  const scan = async (): Promise<Scan & { source: string }> => {
    if (works) return { ...(await works.scan()), source: works.name };
    let failure: unknown;
    for (const source of sources) {
      try {
        const found = await source.scan();
        works = source;
        return { ...found, source: source.name };
      } catch (error) {
        failure ??= error;
      }
    }
    throw failure;
  };
  return {
    async table(query = {}) {
      const { held, unreadable, source } = await scan();
      // A socket that several processes share is one row.
      const rows = [...new Map(held.map(({ row }) => [row.id, row])).values()].filter((row) =>
        isWanted(row, query),
      );
      const blindSpots = query.listening ? [] : [noTimeWait];
      if (unreadable > 0) {
        blindSpots.push(
          `sockets of ${plural(unreadable, 'process', 'processes')} of other users are not shown (needs root)`,
        );
      }
      return { rows, source, blindSpots };
    },
    async holders(ids): Promise<Holders> {
      const pids = new Map<string, number[]>();
      if (ids.size === 0) return { pids, unreadable: 0 };
      const { held, unreadable } = await scan();
      for (const { pid, row } of held) {
        const id = row.id!;
        if (ids.has(id)) pids.set(id, [...new Set([...(pids.get(id) ?? []), pid])]);
      }
      return { pids, unreadable };
    },
  };
}

function isWanted(row: SocketRow, { protocols, ports, listening }: SocketQuery): boolean {
  if (protocols && !protocols.includes(row.protocol)) return false;
  if (ports && !inRanges(ports, row.port)) return false;
  return !listening || row.state === (row.protocol === 'tcp' ? 'listen' : 'unconnected');
}
