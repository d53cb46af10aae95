// The rules of leases: when one ends, who may have its port next, and which ports a name is offered. Pure.

export type LeaseState = 'offered' | 'bound' | 'released' | 'expired';

/** Who keeps a lease. `pid` null: no process does, only its time. `start` null: the platform cannot tell it. */
export interface LeaseOwner {
  host: string;
  pid: number | null;
  /** The system's exact notion of the process's start (ProcessIdentity). */
  start: string | null;
  /** Wall time in milliseconds, to show a person. */
  startedAt: number | null;
}

/** Milliseconds. */
export const leaseTimes = {
  /** Of a lease that no process keeps. */
  ttl: 3_600_000,
  /** Of a lease that a process keeps by its heartbeat; three beats may fail. */
  heldTtl: 15_000,
  /** The same where leases are kept on another machine, which may be out of reach for a while. */
  remoteTtl: 60_000,
  heartbeat: 5_000,
  /** How long a port rests before another name gets it, so that clients of the former notice. */
  quarantine: 30_000,
} as const;

/** Where ports come from when nothing else is asked for: below the usual ephemeral ranges. */
export const defaultPool = { first: 20_000, last: 32_000 } as const;

/** The most ports that one request may ask for. */
export const maxCount = 1000;

/**
 * A time of the machine's clock that lies further ahead is from before the last boot, since that clock starts anew.
 * Not any that lies ahead: while one process looks, others go on writing.
 */
export const aheadMs = 60_000;

/** What is remembered of a port. Times are of the machine's own clock, which knows no steps. */
export interface Tenure {
  /** Who had it last; null where only a stranger was found on it. */
  name: string | null;
  owner: LeaseOwner;
  renewedAt: number;
  endsAt: number;
  /** Null while the lease goes on. */
  endedAt: number | null;
}

/** When this lease ended or was over without anybody having noticed; null while it goes on. */
export function endOf(tenure: Tenure, now: number, isGone: (owner: LeaseOwner) => boolean): number | null {
  const isOld = (time: number) => time > now + aheadMs;
  if (tenure.endedAt !== null) return isOld(tenure.endedAt) ? Number.NEGATIVE_INFINITY : tenure.endedAt;
  if (isOld(tenure.renewedAt)) return Number.NEGATIVE_INFINITY;
  if (tenure.endsAt <= now) return tenure.endsAt;
  return isGone(tenure.owner) ? now : null;
}

/** Whether `name` may be offered the port: its own at once, another's after the quarantine. */
export function mayPass(
  tenure: Tenure,
  to: { name: string; now: number; quarantineMs: number },
  isGone: (owner: LeaseOwner) => boolean,
): boolean {
  const end = endOf(tenure, to.now, isGone);
  if (end === null) return false;
  return tenure.name === to.name || to.now >= end + to.quarantineMs;
}

/** Ports in the order of preference, each only once and only such that may be offered. */
export interface Choices {
  /** The name's earlier ports, the first that it had first. */
  homes: number[];
  /** Ports that no name is remembered on, lowest first. */
  unused: () => Iterable<number>;
  /** Ports of other names, the longest unused first. */
  oldest: () => Iterable<number>;
}

/**
 * `count` ports, or null where there are not so many. A name keeps the ports that it had; a block of new ones is
 * consecutive where it can be.
 */
export function choosePorts(count: number, { homes, unused, oldest }: Choices): number[] | null {
  const chosen = homes.slice(0, count);
  if (chosen.length === 0 && count > 1) {
    const block =
      firstRun(count, unused()) ??
      firstRun(
        count,
        [...unused(), ...oldest()].sort((a, b) => a - b),
      );
    if (block) return block;
  }
  for (const source of [unused, oldest]) {
    if (chosen.length === count) break;
    for (const port of source()) {
      chosen.push(port);
      if (chosen.length === count) break;
    }
  }
  return chosen.length === count ? chosen : null;
}

/** The first `count` numbers that follow on one another, in ascending ones. */
function firstRun(count: number, ports: Iterable<number>): number[] | null {
  let run: number[] = [];
  for (const port of ports) {
    if (port !== run.at(-1)! + 1) run = [];
    run.push(port);
    if (run.length === count) return run;
  }
  return null;
}
