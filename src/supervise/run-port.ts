// The port of `reeve run`: leased under a name, parked or listened on, and what becomes of it written down.
import type { Log } from '../core/context.ts';
import type { PortRange } from '../core/range.ts';
import { type HeldLease, holdLease, type LeaseBook, type Moved } from '../leases/index.ts';
import type { ListeningSocket, System } from '../system/index.ts';
import type { RunReport } from './run-report.ts';
import type { Listener } from './run-watch.ts';

export interface RunPortOptions {
  book: LeaseBook;
  system: System;
  log: Log;
  name: string;
  /** Where to take it from; absent: the pool. */
  range?: PortRange;
  /** Fail rather than take another port than the name had. */
  strict?: boolean;
  park: boolean;
  /** The address to listen on; null: the command binds the port itself. */
  listen: string | null;
}

export interface RunPort {
  readonly port: number;
  /** From the port that the name had before. */
  readonly moved: Moved | null;
  readonly parked: boolean;
  readonly socket: ListeningSocket | null;
  /** Aborts when another has the port by now. */
  readonly lost: AbortSignal;
  /** Keeps the lease in step with what is seen of the port. */
  heard(report: RunReport): void;
  release(): Promise<void>;
}

/** @throws ReeveError where no port can be had, or not listened on. */
export async function takeRunPort(options: RunPortOptions, signal: AbortSignal): Promise<RunPort> {
  const { book, system, log, name, range, strict = false, park, listen } = options;
  const request = { name, http: true, strict, ...(range && { range }) };
  const held = await holdLease(request, { book, system, log, park }, signal);
  const { port } = held;
  try {
    const socket = listen === null ? null : await listenOn(system, listen, port);
    let written: Promise<unknown> = Promise.resolve();
    return {
      port,
      moved: held.leases[0]?.moved ?? null,
      parked: held.parked !== null,
      socket,
      lost: held.lost,
      heard(report) {
        written = written.then(() => write(report, held, book)).catch(() => {});
      },
      async release() {
        await written;
        socket?.close();
        await held.release();
      },
    };
  } catch (error) {
    await held.release();
    throw error;
  }
}

function listenOn(system: System, address: string, port: number): Promise<ListeningSocket> {
  return system.binder.listening({ protocol: 'tcp', address, port, reuse: true, v6only: false });
}

async function write(report: RunReport, { leases }: HeldLease, book: LeaseBook): Promise<void> {
  const [lease] = leases;
  if (!lease) return;
  if (report.kind === 'ready') await book.markBound(lease, evidenceOf(report.listeners));
  if (report.kind === 'stranger' || report.kind === 'shared') {
    await book.note(lease, 'stolen', evidenceOf(report.strangers));
  }
}

function evidenceOf(listeners: Listener[]): Record<string, unknown> {
  return { holders: listeners.map(({ pid, name, address }) => ({ pid, name, address })) };
}
