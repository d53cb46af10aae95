// Keeps leases for as long as this process lives: heartbeat, parked sockets, release.
import { threadId } from 'node:worker_threads';
import type { Log } from '../core/context.ts';
import { errorMessage, isReeveError, ReeveError } from '../core/errors.ts';
import { leaseTimes } from '../core/lease.ts';
import type { Parked, System } from '../system/index.ts';
import { atExit } from './at-exit.ts';
import type { Granted, GrantRequest, LeaseBook } from './book.ts';
import { ownProcess } from './owner.ts';

export interface HoldOptions {
  book: LeaseBook;
  system: System;
  log: Log;
  /** Default true. Where the platform cannot, the lease alone holds. */
  park?: boolean;
  /** Default 5000 ms, with a TTL of 15,000 ms. */
  heartbeatMs?: number;
}

export type HoldRequest = Omit<GrantRequest, 'owner' | 'ttlMs'> & { ttlMs?: number };

export interface HeldLease {
  readonly name: string;
  readonly leases: readonly Granted[];
  readonly port: number;
  readonly ports: number[];
  /** Null where nothing is parked. */
  readonly parked: readonly Parked[] | null;
  /** Aborts when another has the port by now: this process was stopped for longer than the TTL. */
  readonly lost: AbortSignal;
  /** Idempotent. Does not close the book. */
  release(evidence?: Record<string, unknown>): Promise<void>;
  /** Like release, done when it returns. */
  releaseNow(): void;
}

/** Shorter ones would keep the book busy with heartbeats, and be lost to one late turn of the event loop. */
const shortestTtl = 100;

/** A port may be lost between the proof and the parking; then another is asked for. */
const maxTries = 10;

/** The heartbeat alone keeps no process running. */
export async function holdLease(
  request: HoldRequest,
  options: HoldOptions,
  signal: AbortSignal,
): Promise<HeldLease> {
  const { book, log } = options;
  const { leases, parked } = await takeAndPark(request, options, signal);
  const lost = new AbortController();
  let held = true;

  const unpark = () => {
    for (const each of parked ?? []) each.release();
  };
  const stop = () => {
    held = false;
    clearInterval(timer);
    callOff();
    unpark();
  };
  const beat = async () => {
    try {
      const kept = await book.renew(leases);
      if (kept.length === leases.length || !held) return;
      const gone = leases.find(({ id }) => !kept.some((lease) => lease.id === id))!;
      stop();
      lost.abort(
        new ReeveError('conflict', `${request.name} lost port ${gone.port}: ${await whyLost(book, gone)}`),
      );
    } catch (error) {
      // The TTL bears two more beats.
      log.warn({ name: request.name, error: errorMessage(error) }, 'cannot renew a lease');
    }
  };
  const timer = setInterval(beat, options.heartbeatMs ?? leaseTimes.heartbeat);
  timer.unref();
  const callOff = atExit(() => {
    // Where only a thread exits, its sockets would stay open.
    unpark();
    book.releaseNow(leases, { why: threadId === 0 ? 'the process exited' : 'its thread exited' });
  });

  const ports = leases.map(({ port }) => port);
  return {
    ...{ name: request.name, leases, port: ports[0]!, ports, parked, lost: lost.signal },
    async release(evidence) {
      if (!held) return;
      stop();
      await book.release(leases, evidence);
    },
    releaseNow() {
      if (!held) return;
      stop();
      book.releaseNow(leases, {});
    },
  };
}

/** As far as the book can tell. */
async function whyLost(book: LeaseBook, { name, id }: Granted): Promise<string> {
  const entries = await book.audit({ name, limit: 100 }).catch(() => []);
  const end = entries.findLast(
    ({ lease, kind }) => lease === id && (kind === 'released' || kind === 'expired'),
  );
  return end
    ? `its lease ${end.kind === 'expired' ? 'expired' : 'was released'} (${end.evidence.why ?? 'no reason given'})`
    : 'it was released, or another has it by now';
}

async function takeAndPark(
  request: HoldRequest,
  { book, system, park = true }: HoldOptions,
  signal: AbortSignal,
): Promise<{ leases: Granted[]; parked: Parked[] | null }> {
  const { ttlMs = leaseTimes.heldTtl } = request;
  if (ttlMs < shortestTtl) {
    const words = `a lease that a process keeps cannot last ${ttlMs} ms: at least ${shortestTtl} ms serve`;
    throw new ReeveError('usage', words, { hint: 'Its heartbeat comes three times in that' });
  }
  const owner = await ownProcess(system);
  for (let tries = 1; ; tries++) {
    const leases = await book.grant({ ...request, ttlMs, owner }, signal);
    if (!park) return { leases, parked: null };
    const parked: Parked[] = [];
    try {
      for (const { port } of leases) parked.push(await system.binder.park(port));
      return { leases, parked };
    } catch (error) {
      const failed = leases[parked.length]!;
      for (const each of parked) each.release();
      if (isReeveError(error) && error.code === 'unsupported') return { leases, parked: null };
      await book.note(failed, 'refused', { why: errorMessage(error) });
      await book.release(leases, { why: errorMessage(error) });
      if (tries === maxTries || !isReeveError(error) || error.code !== 'conflict') throw error;
    }
  }
}
