// Processes that lease ports against each other, and what their audit must say afterwards.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { expect } from 'vitest';
import type { AuditEntry } from '../../src/leases/index.ts';
import type { Orders, Told } from '../fixtures/leases/worker.ts';

export interface Worker {
  pid: number;
  process: ChildProcess;
  told: Told[];
  /** Resolves when it says something of this kind. */
  next<Kind extends Told['kind']>(kind: Kind): Promise<Extract<Told, { kind: Kind }>>;
}

/** Resolves once it is ready for `go`. */
export async function startWorker(script: string, orders: Orders): Promise<Worker> {
  const child = fork(script, [JSON.stringify(orders)], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const told: Told[] = [];
  const ended = once(child, 'exit').then(([code, signal]) => {
    throw new Error(`worker ${orders.id} ended with ${code ?? signal}`);
  });
  ended.catch(() => {});
  let heard = (_message: Told) => {};
  child.on('message', (message: Told) => {
    told.push(message);
    heard(message);
  });
  const worker: Worker = {
    ...{ pid: child.pid!, process: child, told },
    next(kind) {
      const said = new Promise<never>((resolve) => {
        heard = (message) => {
          if (message.kind === kind) resolve(message as never);
        };
      });
      return Promise.race([said, ended]);
    },
  };
  await worker.next('ready');
  return worker;
}

/** Whether the worker ended by itself, without an error. */
export async function endOf({ process: child }: Worker): Promise<number | NodeJS.Signals | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.exitCode ?? child.signalCode;
}

/**
 * Replays the audit: no port is granted while another grant of it goes on, and no grant of a process that lived was
 * ended by anybody but itself. `killed` holds the PIDs that were killed.
 */
export function proveAudit(
  entries: AuditEntry[],
  killed: ReadonlySet<number>,
): { grants: number; reclaimed: number } {
  const going = new Map<number, AuditEntry>();
  let reclaimed = 0;
  let grants = 0;
  for (const entry of entries) {
    const before = going.get(entry.port);
    if (entry.kind === 'granted') {
      expect(before, `port ${entry.port} was granted twice`).toBeUndefined();
      going.set(entry.port, entry);
      grants++;
    }
    if (entry.kind !== 'released' && entry.kind !== 'expired' && entry.kind !== 'refused') continue;
    // What a holder notes of a failed parking comes before its release.
    if (entry.kind === 'refused' && before?.lease === entry.lease && 'why' in entry.evidence) continue;
    expect(before?.lease, `port ${entry.port} ended without a grant`).toBe(entry.lease);
    going.delete(entry.port);
    if (entry.kind !== 'expired') continue;
    reclaimed++;
    expect(killed, `process ${entry.owner.pid} lived: ${JSON.stringify(entry.evidence)}`).toContain(
      entry.owner.pid,
    );
  }
  return { grants, reclaimed };
}
