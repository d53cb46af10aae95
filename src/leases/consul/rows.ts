// A lease as it stands in Consul's key-value store, and when it is over: by its session, and on its own machine by time.
import { aheadMs, endOf, type LeaseOwner, type LeaseState } from '../../core/lease.ts';
import type { Lease } from '../book.ts';

/**
 * The value of a port's key. It stays after the lease has ended: that is how a name gets its port again. Times in `At`
 * are of the clock of `machine`, which nobody can set; `Wall` ones are for showing, and for quarantine elsewhere.
 */
export interface ConsulRow {
  name: string | null;
  /** Orders the ports of a name. */
  home: number;
  /** A new one for each grant. */
  id: string;
  state: LeaseState | 'refused';
  owner: LeaseOwner;
  machine: string;
  ttlMs: number;
  renewedAt: number;
  endsAt: number;
  /** Null while the lease goes on. */
  endedAt: number | null;
  changedWall: number;
  grantedWall: number;
  renewals: number;
}

export interface Kept {
  port: number;
  /** Changes with every write. */
  index: number;
  /** Whose lock it is; null where nobody's, or where the session has gone. */
  session: string | null;
  row: ConsulRow;
}

export interface Here {
  /** Tells machines and their boots apart: only on the same are clocks and PIDs the same. */
  machine: string;
  monotonic: number;
  wall: number;
}

/** Before any boot of any machine: infinity is no JSON. */
export const longAgo = -1e12;

/** When the lease was over, by this machine's clock; null while it goes on. */
export function endOfKept(
  { row, session }: Kept,
  here: Here,
  isGone: (owner: LeaseOwner) => boolean,
): number | null {
  const isLocal = row.machine === here.machine;
  if (row.endedAt !== null && !isLocal) {
    const ago = here.wall - row.changedWall;
    return ago < -aheadMs ? longAgo : here.monotonic - Math.max(0, ago);
  }
  // Consul itself has found that no heartbeat came: nobody holds it any more, whoever believes so.
  if (row.endedAt === null && session === null) return here.monotonic;
  if (!isLocal) return null;
  const end = endOf(row, here.monotonic, isGone);
  return end === null ? null : Math.max(longAgo, end);
}

export function whyEnded({ row, session }: Kept, here: Here): string {
  if (session === null) return 'its session in Consul is gone: no heartbeat came';
  if (row.renewedAt > here.monotonic + aheadMs) return 'the machine was started anew';
  if (row.endsAt > here.monotonic) return 'its owner is gone';
  return row.owner.pid === null ? 'its time was over' : 'no heartbeat came';
}

export function leaseOf({ port, row }: Pick<Kept, 'port' | 'row'>, here: Here): Lease {
  const left =
    row.machine === here.machine ? row.endsAt - here.monotonic : row.changedWall + row.ttlMs - here.wall;
  return {
    ...{ id: row.id, name: row.name ?? '', port, owner: row.owner, ttlMs: row.ttlMs },
    ...{ state: row.state === 'refused' ? 'released' : row.state, renewals: row.renewals },
    ...{ grantedAt: row.grantedWall, expiresAt: here.wall + left },
  };
}

/** Null for what this version did not write: such a port is left alone. */
export function parseRow(text: string): ConsulRow | null {
  try {
    const row = JSON.parse(text) as Partial<ConsulRow> | null;
    const numbers = [row?.ttlMs, row?.renewedAt, row?.endsAt, row?.changedWall, row?.home, row?.renewals];
    const isRow =
      numbers.every((value) => typeof value === 'number') &&
      [row?.id, row?.machine, row?.state, row?.owner?.host].every((value) => typeof value === 'string');
    return isRow ? (row as ConsulRow) : null;
  } catch {
    return null;
  }
}

/** Goes on, and belongs to a process of this machine. */
export const isProcessOf = ({ row }: Kept, { machine }: Here): boolean =>
  row.endedAt === null && row.owner.pid !== null && row.machine === machine;
