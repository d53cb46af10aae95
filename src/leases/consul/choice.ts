// Which ports meet an order, by all that Consul has of the pool. Pure.
import { choosePorts, type LeaseOwner } from '../../core/lease.ts';
import type { Order } from '../ledger.ts';
import { endOfKept, type Here, type Kept } from './rows.ts';

export interface Pool {
  kept: ReadonlyMap<number, Kept>;
  /** Keys that somebody else has put there. */
  foreign: ReadonlySet<number>;
}

export interface Choice {
  /** Leases of the name that no process keeps, which go on. */
  prolong: Kept[];
  ports: number[];
  /** All that the name had, the first first. */
  homes: number[];
}

type Search = Order & { isGone: (owner: LeaseOwner) => boolean };

export const namedIn = ({ kept }: Pool, name: string): Kept[] =>
  [...kept.values()].filter(({ row }) => row.name === name).sort((a, b) => a.row.home - b.row.home);

/** Null where there are not enough. */
export function choose(pool: Pool, order: Search, here: Here): Choice | null {
  const { name, owner, count, strict, range, quarantineMs, isGone } = order;
  const isSuitable = (port: number) => !pool.foreign.has(port) && order.isSuitable(port);
  const named = namedIn(pool, name);
  const homes = named.map(({ port }) => port);
  // What another machine has is no business of this one, whatever it is called.
  const isOurs = ({ row }: Kept) => row.machine === here.machine && row.owner.pid === null;
  const prolong = owner
    ? []
    : named
        .filter(
          (kept) => isOurs(kept) && isSuitable(kept.port) && endOfKept(kept, here, () => false) === null,
        )
        .slice(0, count);
  const isFree = (kept: Kept) => {
    if (owner && kept.row.name === name && isOurs(kept)) return true;
    const end = endOfKept(kept, here, isGone);
    return end !== null && (kept.row.name === name || here.monotonic >= end + quarantineMs);
  };
  const others = named.filter((kept) => !prolong.includes(kept));
  const left = count - prolong.length;
  const ports =
    left === 0
      ? []
      : choosePorts(left, {
          homes: others.filter((kept) => isSuitable(kept.port) && isFree(kept)).map(({ port }) => port),
          *unused() {
            for (let port = range.first; port <= range.last; port++)
              if (!pool.kept.has(port) && isSuitable(port)) yield port;
          },
          oldest: () =>
            [...pool.kept.values()]
              .filter(({ port, row }) => row.name !== name && port >= range.first && port <= range.last)
              .filter((kept) => isSuitable(kept.port) && isFree(kept))
              .sort((a, b) => endOfKept(a, here, isGone)! - endOfKept(b, here, isGone)!)
              .map(({ port }) => port),
        });
  if (!ports || (strict && homes.length > 0 && !ports.every((port) => homes.includes(port)))) return null;
  return { prolong, ports, homes };
}
