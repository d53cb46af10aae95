// Keeps the relay workers running: starts them when there is work, replaces one that dies, ends them when there is none.
import { backoffDelay } from '../../core/backoff.ts';
import type { Context } from '../../core/context.ts';
import { printable } from '../../core/text.ts';
import type { Report } from './protocol.ts';
import { maxSeats, SharedCounts, Slots } from './shared-counts.ts';
import { WorkerProcess } from './worker-process.ts';

/** What a crew works on: one listener. */
export interface Task {
  readonly id: number;
  /** Whether the worker with this number takes part. */
  takesPart(seat: number): boolean;
  /** A worker is there, newly started or new to the task. */
  begin(worker: WorkerProcess): void;
  report(worker: WorkerProcess, report: Report): void;
  /** The worker is gone, with every connection that it had. */
  lost(worker: WorkerProcess): void;
}

/** A worker that lived longer is replaced at once; one that keeps dying, more and more slowly. */
const soundAfterMs = 2000;
const restartDelays = { min: 50, max: 5000 };

export class Crew {
  readonly size: number;
  private readonly command: readonly string[];
  private readonly context: Context;
  private readonly seats: Seat[];
  readonly slots = new Slots();
  private readonly counts = new SharedCounts();
  private readonly tasks = new Map<number, Task>();

  constructor(command: readonly string[], size: number, context: Context) {
    this.command = command;
    this.size = Math.min(size, maxSeats);
    this.context = context;
    this.seats = Array.from({ length: this.size }, () => ({ worker: null, failures: 0, restart: undefined }));
  }

  join(task: Task): void {
    this.tasks.set(task.id, task);
    this.seats.forEach((seat, number) => {
      if (seat.worker) this.assign(task, seat.worker, number);
      else if (!seat.restart) this.start(seat, number);
    });
  }

  leave(task: Task): void {
    this.tasks.delete(task.id);
    if (this.tasks.size > 0) return;
    for (const seat of this.seats) {
      clearTimeout(seat.restart);
      seat.restart = undefined;
      seat.worker?.end();
      seat.worker = null;
    }
  }

  /** Process ids of those that run. */
  pids(): number[] {
    return this.seats.flatMap(({ worker }) => worker?.pid ?? []);
  }

  private assign(task: Task, worker: WorkerProcess, number: number): void {
    if (task.takesPart(number)) task.begin(worker);
  }

  private start(seat: Seat, number: number): void {
    const { clock, log } = this.context;
    const startedAt = clock.monotonic();
    seat.restart = undefined;
    const worker = new WorkerProcess(this.command, number, this.counts.fd, {
      report: (report) => this.take(worker, report),
      said: (text) =>
        log.error({ worker: worker.pid, text: printable(text.slice(0, 2000)) }, 'a relay worker said'),
      gone: (reason) => {
        for (const task of [...this.tasks.values()]) task.lost(worker);
        if (seat.worker !== worker) return;
        seat.worker = null;
        this.counts.clear(number);
        const sound = clock.monotonic() - startedAt >= soundAfterMs;
        seat.failures = sound ? 0 : seat.failures + 1;
        this.tell(worker, reason);
        this.replace(seat, number);
      },
    });
    seat.worker = worker;
    for (const task of this.tasks.values()) this.assign(task, worker, number);
  }

  private replace(seat: Seat, number: number): void {
    if (this.tasks.size === 0) return;
    if (seat.failures === 0) {
      this.start(seat, number);
      return;
    }
    const delay = backoffDelay(restartDelays, seat.failures - 1, this.context.random);
    seat.restart = setTimeout(() => this.start(seat, number), delay);
  }

  private take(worker: WorkerProcess, report: Report): void {
    if (report.is === 'news') {
      for (const news of report.listeners)
        this.tasks.get(news.id)?.report(worker, { ...report, listeners: [news] });
    } else if (report.is === 'drained') {
      this.tasks.get(report.id)?.report(worker, report);
    }
  }

  private tell(worker: WorkerProcess, reason: string): void {
    this.context.emit({
      kind: 'daemon',
      subject: 'relay',
      message: `relay worker ${worker.pid ?? '(not started)'} is gone: ${reason}; another takes its place`,
      detail: { pid: worker.pid, reason },
    });
  }
}

interface Seat {
  worker: WorkerProcess | null;
  /** Of workers that died young, in a row. */
  failures: number;
  restart: NodeJS.Timeout | undefined;
}
