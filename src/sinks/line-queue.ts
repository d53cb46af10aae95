// A bounded, ordered queue of lines before one destination. Who comes while it is full, or fails, waits.

import { backoffDelay } from '../core/backoff.ts';
import type { Context } from '../core/context.ts';
import { errorMessage, ReeveError } from '../core/errors.ts';
import { formatDuration } from '../core/quantity.ts';
import { plural } from '../core/text.ts';
import { sleep } from '../core/time.ts';
import { blockSize, type LineBatch, LineBlocks } from './line-blocks.ts';
import { type Encode, lineEncoder, type Relabel } from './record-line.ts';
import type { DropReason, Sink, SinkCounters, SinkRecord } from './sink.ts';

/** Where lines end up. Called by one queue, one call at a time. */
export interface Destination {
  readonly kind: string;
  /** Called once, before anything else but `close`. */
  start?(): void;
  /** Makes ready for a batch that starts with a line of so many bytes; resolves to how many bytes it may have. */
  room(firstLine: number): Promise<number>;
  /** Resolves to how many bytes were taken, at least one; rejects with none taken. */
  write(bytes: Buffer): Promise<number>;
  close(): Promise<void>;
  /** What it says of itself, where taking a record is not yet to deliver it. */
  note?(): string | null;
  counters?(): Pick<SinkCounters, 'delivered' | 'bytes' | 'spooled'>;
}

// Enough to keep a disk busy and small enough that a stalled one costs little memory. In characters.
const queueLimit = 4 * 1024 * 1024;
const batchLimit = 1024 * 1024;
/** Small batches start no faster than so many milliseconds apart, the first after a silence at once: a write costs the same for one line as for hundreds. */
const pace = 5;
const retry = { min: 100, max: 1000 };

interface Waiting {
  take: () => void;
  lines: number;
  resolve: () => void;
  reject: (error: unknown) => void;
}

/**
 * A record is accepted when `write` returns nothing or resolves: it stays queued, over failures too, until it is
 * delivered. While the destination fails it is tried again and again, and writers wait: a listener reads no further.
 */
export class LineQueue implements Sink {
  readonly name: string;
  readonly kind: string;
  private readonly destination: Destination;
  private readonly context: Context;
  private readonly encode: Encode;
  private readonly relabel: Relabel;
  private readonly blocks = new LineBlocks();
  private waiting: Waiting[] = [];
  private batch: LineBatch | null = null;
  private started = false;
  private running: Promise<void> | null = null;
  private beganAt = Number.NEGATIVE_INFINITY;
  /** Ends the pause before a small batch. */
  private hurry: () => void = () => {};
  private failed: { error: unknown; since: number; attempts: number } | null = null;
  private readonly closing = new AbortController();
  private closed: Promise<void> | null = null;
  private readonly counts: SinkCounters = {
    ...{ accepted: 0, delivered: 0, bytes: 0, spooled: 0, failures: 0, dropped: {} },
  };

  constructor(
    name: string,
    destination: Destination,
    context: Context,
    encode: Encode = lineEncoder(),
    relabel: Relabel = (_listener, lines) => lines,
  ) {
    this.name = name;
    this.kind = destination.kind;
    this.destination = destination;
    this.context = context;
    this.encode = encode;
    this.relabel = relabel;
  }

  get failure(): string | null {
    return this.failed && errorMessage(this.failed.error);
  }

  get note(): string | null {
    return this.destination.note?.() ?? null;
  }

  start(): void {
    if (this.started || this.closed) return;
    this.started = true;
    this.destination.start?.();
    if (this.blocks.queued > 0) this.running ??= this.run();
  }

  write(record: SinkRecord): Promise<void> | undefined {
    if (this.closed) return this.refuse();
    const line = this.encode(record);
    return this.whenRoom(1, () => this.blocks.add(line));
  }

  writeLines(listener: string, lines: Buffer, count: number): Promise<void> | undefined {
    if (this.closed) return this.refuse();
    const bytes = this.relabel(listener, lines);
    return this.whenRoom(count, () => this.blocks.addLines(bytes, count));
  }

  drop(records: number, reason: DropReason): void {
    this.counts.dropped[reason] = (this.counts.dropped[reason] ?? 0) + records;
  }

  counters(): SinkCounters {
    return { ...this.counts, ...this.destination.counters?.(), dropped: { ...this.counts.dropped } };
  }

  /** Rejects where something accepted could not be delivered, and says how much. */
  close(): Promise<void> {
    this.closed ??= this.finish();
    return this.closed;
  }

  private refuse(): Promise<void> {
    return Promise.reject(new ReeveError('conflict', `sink '${this.name}' is closed`));
  }

  private whenRoom(lines: number, take: () => void): Promise<void> | undefined {
    if (this.failed === null && this.waiting.length === 0 && this.blocks.queued < queueLimit) {
      take();
      this.counts.accepted += lines;
      if (this.blocks.queued >= blockSize) this.hurry();
      if (this.started) this.running ??= this.run();
      return undefined;
    }
    return new Promise((resolve, reject) => {
      this.waiting.push({ take, lines, resolve, reject });
    });
  }

  /** Until a batch is due: enough is there for one, or enough time has passed. */
  private async due(): Promise<void> {
    const { clock } = this.context;
    const rest = this.beganAt + pace - clock.monotonic();
    if (rest > 0 && !this.batch && this.blocks.queued < blockSize && !this.closing.signal.aborted) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, rest);
        this.hurry = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.hurry = () => {};
    }
    this.beganAt = clock.monotonic();
  }

  /** Delivers until nothing is left; after `close`, until the destination fails. Never rejects. */
  private async run(): Promise<void> {
    // Lines that come in the same turn of the loop go into the same batch.
    await null;
    // Whoever waits does so behind lines that are queued, so that waiting alone need not be looked at.
    while (this.batch || this.blocks.queued > 0) {
      await this.due();
      // One who closes gets a try of its own after the last failure.
      const last = this.closing.signal.aborted;
      try {
        await this.deliver();
      } catch (error) {
        this.fail(error);
        if (last) break;
        const delay = backoffDelay(retry, this.failed!.attempts++, this.context.random);
        await sleep(delay, this.closing.signal).catch(() => {});
      }
    }
    this.running = null;
  }

  private async deliver(): Promise<void> {
    this.batch ??= await this.nextBatch();
    while (this.batch.rest.length > 0) {
      const written = await this.destination.write(this.batch.rest);
      this.batch.rest = this.batch.rest.subarray(written);
      this.counts.bytes += written;
    }
    this.counts.delivered += this.batch.lines;
    this.batch = null;
    this.recover();
    this.admit();
  }

  private fail(error: unknown): void {
    if (this.failed) {
      this.failed.error = error;
      return;
    }
    this.failed = { error, since: this.context.clock.monotonic(), attempts: 0 };
    this.counts.failures += 1;
    this.tell(`cannot write: ${errorMessage(error)}; what was accepted is kept, and no more is read`, {
      failing: true,
      reason: errorMessage(error),
    });
  }

  private recover(): void {
    if (!this.failed) return;
    const ms = this.context.clock.monotonic() - this.failed.since;
    this.failed = null;
    this.tell(`writes again after ${formatDuration(ms)}`, { failing: false, ms: Math.round(ms) });
  }

  private tell(message: string, detail: Record<string, unknown>): void {
    this.context.emit({ kind: 'sink', subject: `sink/${this.name}`, message, detail });
  }

  private admit(): void {
    let taken = 0;
    while (taken < this.waiting.length && this.blocks.queued < queueLimit) {
      const { take, lines, resolve } = this.waiting[taken]!;
      take();
      this.counts.accepted += lines;
      resolve();
      taken += 1;
    }
    if (taken > 0) this.waiting.splice(0, taken);
  }

  private async nextBatch(): Promise<LineBatch> {
    const firstLine = this.blocks.firstLine();
    return this.blocks.next(Math.min(batchLimit, await this.destination.room(firstLine)));
  }

  private async finish(): Promise<void> {
    this.closing.abort();
    this.hurry();
    await this.running;
    if (this.started) await this.run();
    for (const { reject } of this.waiting.splice(0)) {
      reject(new ReeveError('conflict', `sink '${this.name}' was closed before it could take this`));
    }
    await this.destination.close();
    const lost = this.counts.accepted - this.counts.delivered;
    if (lost > 0) {
      this.drop(lost, 'closed');
      const cause = this.failed?.error ?? 'it was never started';
      const message = `closed with ${plural(lost, 'record')} not delivered: ${errorMessage(cause)}`;
      this.tell(message, { dropped: lost });
      throw new ReeveError('fault', `sink '${this.name}' ${message}`, { cause });
    }
  }
}
