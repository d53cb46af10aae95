// NATS JetStream as a destination: published and acknowledged while it is there, spooled to disk while it is away.
import { randomBytes } from 'node:crypto';
import { backoffDelay } from '../../core/backoff.ts';
import type { Context } from '../../core/context.ts';
import { errorMessage, ReeveError } from '../../core/errors.ts';
import { formatSize } from '../../core/quantity.ts';
import { plural } from '../../core/text.ts';
import { sleep } from '../../core/time.ts';
import type { Destination } from '../line-queue.ts';
import { type Encode, lineEncoder, type Relabel } from '../record-line.ts';
import { Link, type NatsOptions } from './link.ts';
import { Spool } from './spool.ts';

/** Bytes that are under way to NATS at once, and are read from the spool at once. */
const inFlight = 256 * 1024;
const retry = { min: 100, max: 2000 };
/** Milliseconds that a close goes on delivering what lies in the spool. */
const closePatience = 5000;

/** A line `id subject record`: the id stays with the record, so that the stream knows it again. */
export function natsLabels(subject: string): { encode: Encode; relabel: Relabel } {
  // Never the same in two processes, or ids of an earlier one would hide new records.
  const run = randomBytes(9).toString('base64url');
  const encode = lineEncoder();
  let count = 0;
  const label = (listener: string) => {
    count += 1;
    return `${run}-${count} ${subject.replaceAll('{listener}', listener)} `;
  };
  const asBytes = (text: string) => Buffer.from(text).toString('latin1');
  return {
    encode: (record) => label(record.listener) + encode(record),
    // The bytes of UTF-8 that are not ASCII are none of a line's end.
    relabel: (listener, lines) =>
      Buffer.from(
        lines.toString('latin1').replace(/^(?=.)/gm, () => asBytes(label(listener))),
        'latin1',
      ),
  };
}

/** Where records wait while NATS is away. */
export interface SpoolPlace {
  folder: string;
  limit: number;
  /** Resolves when nobody else uses it any more: the daemon that this one succeeds. Absent: nobody does. */
  free?: Promise<void> | undefined;
}

export class NatsDestination implements Destination {
  readonly kind = 'nats';
  private readonly name: string;
  private readonly options: NatsOptions;
  private readonly spool: Spool;
  private readonly limit: number;
  private free: Promise<void> | null;
  private readonly context: Context;
  private link: Link | null = null;
  /** Why there is no link; null at first, while nothing has been tried. */
  private away: string | null = null;
  private readonly closing = new AbortController();
  private opening: Promise<void> | null = null;
  private running: Promise<void> = Promise.resolve();
  private wake: () => void = () => {};
  private readonly counts = { delivered: 0, bytes: 0 };

  constructor(name: string, options: NatsOptions, { folder, limit, free }: SpoolPlace, context: Context) {
    this.name = name;
    this.options = options;
    this.limit = limit;
    this.free = free ?? null;
    this.spool = new Spool(folder, limit);
    this.context = context;
  }

  start(): void {
    this.opening = this.openSpool();
    // Told with the first batch.
    this.opening.catch(() => {});
    this.running = this.run();
  }

  async room(firstLine: number): Promise<number> {
    if (!this.free) await this.opening;
    return Math.max(inFlight, firstLine);
  }

  async write(lines: Buffer): Promise<number> {
    if (this.link && this.spool.records === 0) {
      const taken = await this.publish(lines);
      if (taken > 0) return taken;
    }
    if (this.free) throw new ReeveError('unreachable', `NATS is away, and the daemon before has the spool`);
    if (await this.spool.append(lines)) {
      this.wake();
      return lines.length;
    }
    const why = this.link ? 'NATS takes records too slowly' : `NATS is away (${this.away ?? 'connecting'})`;
    throw new ReeveError('unreachable', `${why}, and the spool is full (${formatSize(this.limit)})`);
  }

  counters() {
    return { ...this.counts, spooled: this.spool.records };
  }

  note(): string | null {
    return this.link || this.away === null ? null : `NATS is away: ${this.away}`;
  }

  async close(): Promise<void> {
    const until = this.context.clock.monotonic() + closePatience;
    while (
      (this.link || this.away === null) &&
      this.spool.records > 0 &&
      this.context.clock.monotonic() < until
    )
      await sleep(10);
    this.closing.abort();
    this.wake();
    await this.running;
    await this.link?.close();
    await this.spool.close();
    if (this.spool.records > 0) {
      this.tell(`${plural(this.spool.records, 'record')} stay in the spool for the next start`, {
        spooled: this.spool.records,
      });
    }
  }

  private async openSpool(): Promise<void> {
    if (this.free) {
      await Promise.race([this.free, aborted(this.closing.signal)]);
      if (this.closing.signal.aborted) return;
    }
    await this.spool.open();
    this.free = null;
    this.wake();
  }

  /** Keeps a link, and brings what was spooled to NATS, oldest first. */
  private async run(): Promise<void> {
    const { signal } = this.closing;
    if (!this.free) await this.opening!.catch(() => {});
    for (let attempt = 0; !signal.aborted; ) {
      try {
        if (!this.link) {
          await this.connect();
          attempt = 0;
        }
        const lines = this.spool.records > 0 ? await this.spool.read(inFlight) : null;
        if (lines) await this.advance(lines);
        else if (!signal.aborted) await this.woken();
      } catch (error) {
        this.leave(error);
        await sleep(backoffDelay(retry, attempt++, this.context.random), signal).catch(() => {});
      }
    }
  }

  private async advance(lines: Buffer): Promise<void> {
    const bytes = await this.publish(lines);
    if (bytes > 0) await this.spool.advance(lines.subarray(0, bytes));
  }

  private async connect(): Promise<void> {
    const link: Link = await Link.open(this.options, this.name, (error) => {
      if (this.link === link && !this.closing.signal.aborted) this.leave(error);
    });
    this.link = link;
    const waiting = this.spool.records;
    if (this.away !== null)
      this.tell(`NATS is back; spooled: ${waiting}`, { failing: false, spooled: waiting });
    this.away = null;
  }

  /** Bytes that NATS has; fewer than all mean that the link is gone. */
  private async publish(lines: Buffer): Promise<number> {
    const { bytes, records, error } = await this.link!.publish(lines);
    this.counts.delivered += records;
    this.counts.bytes += bytes;
    if (error) this.leave(error);
    return bytes;
  }

  private leave(error: unknown): void {
    const { link } = this;
    this.link = null;
    void link?.close();
    const why = errorMessage(error);
    if (this.away === null)
      this.tell(`NATS is away: ${why}; records go to the spool`, { failing: true, reason: why });
    this.away = why;
    this.wake();
  }

  private woken(): Promise<void> {
    return new Promise((resolve) => {
      this.wake = resolve;
    });
  }

  private tell(message: string, detail: Record<string, unknown>): void {
    this.context.emit({ kind: 'sink', subject: `sink/${this.name}`, message, detail });
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
