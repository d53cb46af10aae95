// A bounded, ordered queue of lines before one destination. Who comes while it is full waits; nothing is dropped in silence.

import { errorMessage, ReeveError } from '../core/errors.ts';
import { plural } from '../core/text.ts';
import { recordLine } from './record-line.ts';
import type { Sink, SinkCounters, SinkRecord } from './sink.ts';

/** Where lines end up. Called by one queue, one call at a time. */
export interface Destination {
  readonly kind: string;
  /** Makes ready for a batch that starts with a line of so many bytes; resolves to how many bytes it may have. */
  room(firstLine: number): Promise<number>;
  /** Resolves to how many bytes were taken, at least one; rejects with none taken. */
  write(bytes: Buffer): Promise<number>;
  close(): Promise<void>;
}

// Enough to keep a disk busy and small enough that a stalled one costs little memory. In characters.
const queueLimit = 4 * 1024 * 1024;
const batchLimit = 1024 * 1024;

interface Waiting {
  line: string;
  resolve: () => void;
  reject: (error: unknown) => void;
}

/**
 * A record is accepted when `write` returns nothing or resolves: it stays queued, over failures too, until it is
 * delivered. One whose `write` rejects was not taken and never appears later. After a failure the next `write` tries again.
 */
export class LineQueue implements Sink {
  readonly name: string;
  readonly kind: string;
  private readonly destination: Destination;
  private lines: string[] = [];
  private queued = 0;
  private waiting: Waiting[] = [];
  private batch: { rest: Buffer; lines: number } | null = null;
  private running: Promise<void> | null = null;
  private failure: unknown = null;
  private closing: Promise<void> | null = null;
  private readonly counts: SinkCounters = { accepted: 0, delivered: 0, bytes: 0 };

  constructor(name: string, destination: Destination) {
    this.name = name;
    this.kind = destination.kind;
    this.destination = destination;
  }

  write(record: SinkRecord): Promise<void> | undefined {
    if (this.closing) return Promise.reject(new ReeveError('conflict', `sink '${this.name}' is closed`));
    const line = recordLine(record);
    if (this.failure === null && this.waiting.length === 0 && this.queued < queueLimit) {
      this.take(line);
      this.running ??= this.run();
      return undefined;
    }
    return new Promise((resolve, reject) => {
      this.waiting.push({ line, resolve, reject });
      this.running ??= this.run();
    });
  }

  counters(): SinkCounters {
    return { ...this.counts };
  }

  /** Rejects where something accepted could not be delivered, and says how much. */
  close(): Promise<void> {
    this.closing ??= this.finish();
    return this.closing;
  }

  private take(line: string): void {
    this.lines.push(line);
    this.queued += line.length;
    this.counts.accepted += 1;
  }

  /** Delivers until nothing is left, or until the destination fails. Never rejects. */
  private async run(): Promise<void> {
    // Lines that come in the same turn of the loop go into the same batch.
    await null;
    try {
      // Whoever waits does so behind lines that are queued, so that waiting alone need not be looked at.
      while (this.batch || this.lines.length > 0) {
        this.batch ??= await this.nextBatch();
        while (this.batch.rest.length > 0) {
          const written = await this.destination.write(this.batch.rest);
          this.batch.rest = this.batch.rest.subarray(written);
          this.counts.bytes += written;
        }
        this.counts.delivered += this.batch.lines;
        this.batch = null;
        this.failure = null;
        this.admit();
      }
    } catch (error) {
      this.failure = error;
      const told = this.describe(error);
      for (const { reject } of this.waiting.splice(0)) reject(told);
    }
    this.running = null;
  }

  private admit(): void {
    let taken = 0;
    while (taken < this.waiting.length && this.queued < queueLimit) {
      const { line, resolve } = this.waiting[taken]!;
      this.take(line);
      resolve();
      taken += 1;
    }
    this.waiting.splice(0, taken);
  }

  private async nextBatch(): Promise<{ rest: Buffer; lines: number }> {
    const room = Math.min(batchLimit, await this.destination.room(Buffer.byteLength(this.lines[0]!)));
    let bytes = 0;
    let count = 0;
    for (const line of this.lines) {
      const size = Buffer.byteLength(line);
      if (count > 0 && bytes + size > room) break;
      bytes += size;
      count += 1;
    }
    const text = this.lines.splice(0, count).join('');
    this.queued -= text.length;
    return { rest: Buffer.from(text), lines: count };
  }

  private async finish(): Promise<void> {
    await this.running;
    if (this.lines.length > 0 || this.batch) await this.run();
    await this.destination.close();
    const lost = this.counts.accepted - this.counts.delivered;
    if (lost > 0) {
      throw new ReeveError(
        'fault',
        `sink '${this.name}' closed with ${plural(lost, 'record')} not delivered: ${errorMessage(this.failure)}`,
        { cause: this.failure },
      );
    }
  }

  private describe(error: unknown): ReeveError {
    return new ReeveError('unknown', `sink '${this.name}' cannot write: ${errorMessage(error)}`, {
      cause: error,
      hint: 'What was accepted is kept, and writing is tried again with the next record',
    });
  }
}
