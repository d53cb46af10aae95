// Owners of leases: this process as one, and whether another still lives.
import { hostname } from 'node:os';
import type { LeaseOwner } from '../core/lease.ts';
import type { System } from '../system/index.ts';

export async function ownProcess(system: System): Promise<LeaseOwner> {
  return (await ownerOfProcess(system, process.pid)) ?? unknown(process.pid);
}

/** Null where there is no such process. */
async function ownerOfProcess(system: System, pid: number): Promise<LeaseOwner | null> {
  try {
    const facts = await system.processes.facts(pid);
    if (!facts) return null;
    return { host: hostname(), pid, start: facts.start, startedAt: facts.startedAt?.getTime() ?? null };
  } catch {
    // A platform that does not tell when a process started: its heartbeat alone keeps the lease.
    return unknown(pid);
  }
}

const unknown = (pid: number): LeaseOwner => ({ host: hostname(), pid, start: null, startedAt: null });

/**
 * Looks each owner up once. Only processes of this host can be judged: a container that shares the book has a
 * host name and process ids of its own.
 */
export async function goneAmong(
  system: System,
  owners: LeaseOwner[],
): Promise<(owner: LeaseOwner) => boolean> {
  const gone = new Set<string>();
  for (const owner of owners) if (await isGone(system, owner)) gone.add(keyOf(owner));
  return (owner) => gone.has(keyOf(owner));
}

async function isGone(system: System, { host, pid, start }: LeaseOwner): Promise<boolean> {
  if (host !== hostname() || pid === null || start === null) return false;
  const identity = await system.processes.identify(pid);
  return identity?.start !== start;
}

const keyOf = ({ host, pid, start }: LeaseOwner) => `${host}/${pid}/${start}`;
