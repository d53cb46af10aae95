// Keeps the relay workers running: starts them when there is work, replaces one that dies, ends them when there is none.
import { backoffDelay } from '../../core/backoff.ts';
import type { Context } from '../../core/context.ts';
import { printable } from '../../core/text.ts';
import type { Batch } from './batch.ts';
import type { Report } from './protocol.ts';
import { maxSeats, SharedCounts, Slots } from './shared-counts.ts';
import { WorkerProcess } from './worker-process.ts';

/** What a crew works on: one listener. */
export interface Task {
  readonly id: number;
  /** Whether the worker with this number takes part. */
  takesPart(seat: number): boolean;
  /** A worker is there in this seat, newly started or new to the task. */
  begin(worker: WorkerProcess, seat: number): void;
  report(worker: WorkerProcess, report: Report): void;
  /** Records for its sink. */
  batch(worker: WorkerProcess, batch: Batch): void;
  /** The worker is gone, with every connection that it had. */
  lost(worker: WorkerProcess): void;
}

/** A worker that lived longer is replaced at once; one that keeps dying, more and more slowly. */
const soundAfterMs = 2000;
const restartDelays = { min: 50, max: 5000 };
/** One that dies so often within so many milliseconds will go on dying: whoever can do without it is told. */
const mostDeaths = 5;
const deathsWithin = 10_000;

export class Crew {
  readonly size: number;
  private readonly command: readonly string[];
  private readonly context: Context;
  private readonly seats: Seat[];
  private spare: WorkerProcess | null = null;
  readonly slots = new Slots();
  private readonly counts = new SharedCounts();
  private readonly tasks = new Map<number, Task>();
  private readonly givenUp: ((why: string) => void) | null;
  private over = false;

  /** `givenUp` is told once why there will be no more workers; without it they are replaced for ever. */
  constructor(
    command: readonly string[],
    size: number,
    context: Context,
    givenUp: ((why: string) => void) | null = null,
  ) {
    this.command = command;
    this.givenUp = givenUp;
    this.size = Math.min(size, maxSeats);
    this.context = context;
    this.seats = Array.from({ length: this.size }, () => ({
      worker: null,
      since: 0,
      failures: 0,
      deaths: [],
      restart: undefined,
    }));
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
    this.dismissSpare();
  }

  /** Process ids of those that run. */
  pids(): number[] {
    return this.seats.flatMap(({ worker }) => worker?.pid ?? []);
  }

  private assign(task: Task, worker: WorkerProcess, number: number): void {
    if (task.takesPart(number)) task.begin(worker, number);
  }

  private start(seat: Seat, number: number): void {
    if (this.over) return;
    seat.restart = undefined;
    seat.since = this.context.clock.monotonic();
    const worker = this.spare ?? this.hire();
    this.spare = null;
    seat.worker = worker;
    for (const task of this.tasks.values()) this.assign(task, worker, number);
    if (worker.isReady) this.keepSpare();
  }

  /** Starting a process takes longer than clients like to wait, so once all are ready one more waits for a seat. */
  private keepSpare(): void {
    if (this.spare || this.over || this.tasks.size === 0) return;
    if (this.seats.every(({ worker }) => worker?.isReady)) this.spare = this.hire();
  }

  private hire(): WorkerProcess {
    const worker: WorkerProcess = new WorkerProcess(this.command, this.counts.fd, {
      ready: () => this.keepSpare(),
      report: (report) => this.take(worker, report),
      batch: (batch) => this.tasks.get(batch.listener)?.batch(worker, batch),
      said: (text) =>
        this.context.log.error(
          { worker: worker.pid, text: printable(text.slice(0, 2000)) },
          'a relay worker said',
        ),
      gone: (reason) => this.gone(worker, reason),
    });
    return worker;
  }

  private gone(worker: WorkerProcess, reason: string): void {
    // A spare one that dies is not replaced before the next worker starts: so none is started again and again.
    if (this.spare === worker) this.spare = null;
    for (const task of [...this.tasks.values()]) task.lost(worker);
    const number = this.seats.findIndex((seat) => seat.worker === worker);
    const seat = this.seats[number];
    if (!seat) return;
    const now = this.context.clock.monotonic();
    seat.worker = null;
    this.counts.clear(number);
    seat.failures = now - seat.since >= soundAfterMs ? 0 : seat.failures + 1;
    seat.deaths = [...seat.deaths, now].slice(-mostDeaths);
    if (this.isHopeless(seat)) {
      this.giveUp(`a worker has died ${mostDeaths} times within ${deathsWithin / 1000} s (${reason})`);
      return;
    }
    this.tell(worker, reason);
    this.replace(seat, number);
  }

  private isHopeless({ deaths }: Seat): boolean {
    if (!this.givenUp || this.over || deaths.length < mostDeaths) return false;
    return deaths.at(-1)! - deaths[0]! <= deathsWithin;
  }

  private dismissSpare(): void {
    this.spare?.end();
    this.spare = null;
  }

  private giveUp(why: string): void {
    this.over = true;
    this.dismissSpare();
    this.context.emit({
      kind: 'daemon',
      subject: 'relay',
      message: `the native engine is given up: ${why}`,
      detail: { warning: true, reason: why },
    });
    this.givenUp?.(why);
  }

  private replace(seat: Seat, number: number): void {
    if (this.tasks.size === 0 || this.over) return;
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
  /** When that one took it. */
  since: number;
  /** Of workers that died young, in a row. */
  failures: number;
  /** When the last ones died. */
  deaths: number[];
  restart: NodeJS.Timeout | undefined;
}
