// Hands what workers have read for a sink to that sink, and tells them what it has taken. In the control process.
import type { Sink } from '../../sinks/index.ts';
import type { Batch } from './batch.ts';
import type { WorkerProcess } from './worker-process.ts';

interface Handed {
  number: number;
  lines: number;
  /** Null while the sink has not taken it. */
  outcome: 'taken' | 'failed' | null;
}

export class SinkFeed {
  private readonly id: number;
  private readonly listener: () => { name: string; sink: Sink | null };
  /** What each worker has handed over and was not answered, in order. */
  private readonly handed = new Map<WorkerProcess, Handed[]>();
  /** The newest sink: a reload may replace the one from when a connection came. */
  private sink: Sink | null = null;
  private givenUp = false;
  private readonly toAnswer = new Set<WorkerProcess>();

  constructor(id: number, listener: () => { name: string; sink: Sink | null }) {
    this.id = id;
    this.listener = listener;
  }

  take(worker: WorkerProcess, { number, lines, bytes }: Batch): void {
    const { name, sink } = this.listener();
    this.sink = sink ?? this.sink;
    const handed: Handed = { number, lines, outcome: null };
    const queue = this.handed.get(worker) ?? [];
    this.handed.set(worker, queue);
    queue.push(handed);
    const settle = (outcome: 'taken' | 'failed') => {
      handed.outcome ??= outcome;
      this.answerSoon(worker);
    };
    const taken = this.sink!.writeLines(name, bytes, lines);
    if (!taken) settle('taken');
    else {
      taken.then(
        () => settle('taken'),
        () => {
          this.sink!.drop(lines, this.givenUp ? 'drained' : 'sink-failed');
          settle('failed');
        },
      );
      if (this.givenUp) settle('failed');
    }
  }

  /** No worker waits any longer. What the sink has not taken by now it takes when it can, or is counted as dropped. */
  giveUp(): void {
    this.givenUp = true;
    for (const [worker, queue] of this.handed) {
      for (const handed of queue) handed.outcome ??= 'failed';
      this.answerSoon(worker);
    }
  }

  lost(worker: WorkerProcess): void {
    this.handed.delete(worker);
    this.toAnswer.delete(worker);
  }

  /** One answer for all that came together. */
  private answerSoon(worker: WorkerProcess): void {
    if (this.toAnswer.size === 0) queueMicrotask(() => this.answer());
    this.toAnswer.add(worker);
  }

  private answer(): void {
    for (const worker of this.toAnswer) {
      const queue = this.handed.get(worker) ?? [];
      let done = 0;
      while (done < queue.length && queue[done]!.outcome !== null) done += 1;
      const answered = queue.splice(0, done);
      const failed = answered.findLast(({ outcome }) => outcome === 'failed');
      // Failures first: the answer after them speaks for all that came before.
      if (failed) worker.send({ do: 'taken', id: this.id, number: failed.number, failed: true });
      const last = answered.at(-1);
      if (last && last !== failed)
        worker.send({ do: 'taken', id: this.id, number: last.number, failed: false });
    }
    this.toAnswer.clear();
  }
}
