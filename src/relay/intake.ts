// One connection whose data goes to a sink: cut into frames, each handed over in order, no faster than the sink takes them.
import { errorCode, errorMessage } from '../core/errors.ts';
import { createFramer, type Framer } from '../listen/index.ts';
import { type DropReason, dropReasons, type Sink } from '../sinks/index.ts';
import { connectionId } from './connection-id.ts';
import { reasonOf } from './ending.ts';
import type { EndReason } from './engine.ts';
import { Served } from './served.ts';
import { reset } from './sockets.ts';

export class IntakeConnection extends Served {
  private readonly id = connectionId();
  private framer: Framer | null = null;
  private sink: Sink | null = null;
  /** When the newest data came. */
  private time = '';
  private sequence = 0;
  /** Frames that wait for the sink, from `next` on. */
  private pending: Buffer[] = [];
  private next = 0;
  private delivering = false;
  private clientEnded = false;
  private closed = false;
  private stopped = false;
  private reason: EndReason | null = null;
  private detail: string | null = null;

  start(): void {
    const { client } = this;
    const { frame, limits } = this.home.plan.config;
    this.framer = createFramer(frame ?? 'line', limits.frame);
    client.on('data', (chunk: Buffer) => this.fromClient(chunk));
    client.on('end', () => {
      this.clientEnded = true;
      this.time = this.timeNow();
      this.deliver(this.framer!.end());
    });
    client.on('error', (error) => {
      this.reason ??= reasonOf(errorCode(error), 'client');
      this.detail ??= errorMessage(error);
    });
    client.on('close', () => {
      this.closed = true;
      this.settle();
    });
    client.resume();
  }

  stop(reason: EndReason, detail: string | null = null): void {
    this.reason ??= reason;
    this.detail ??= detail;
    this.stopped = true;
    this.drop(this.pending.length - this.next, reason);
    this.pending = [];
    this.next = 0;
    if (this.closed) this.settle();
    else reset(this.client);
  }

  /** One that waits for its sink is not idle: what it sent would be lost. */
  override checkTimes(now: number, idleMs: number, firstBytesMs: number | undefined): void {
    if (this.delivering) this.moves += 1;
    super.checkTimes(now, idleMs, firstBytesMs);
  }

  private drop(frames: number, reason: EndReason): void {
    if (frames > 0) this.sink?.drop(frames, isDropReason(reason) ? reason : 'error');
  }

  private fromClient(chunk: Buffer): void {
    const { reports, plan } = this.home;
    this.moves += 1;
    this.received += chunk.length;
    reports.received(plan.name, chunk.length);
    this.time = this.timeNow();
    this.deliver(this.framer!.push(chunk));
  }

  /** While the sink takes its time nothing more is read: at most what Node had read before waits in `pending`. */
  private deliver(frames: Buffer[]): void {
    if (this.delivering) {
      // Node may still bring what it had read before the pause, and then the end.
      for (const frame of frames) this.pending.push(frame);
      return;
    }
    for (let at = 0; at < frames.length; at++) {
      const taken = this.write(frames[at]!);
      if (!taken) continue;
      this.pending = frames.slice(at + 1);
      this.delivering = true;
      this.client.pause();
      void this.deliverRest(taken);
      return;
    }
    this.delivered();
  }

  private async deliverRest(first: Promise<void>): Promise<void> {
    try {
      await first;
      while (this.next < this.pending.length) {
        // Most are taken at once: to await those too would cost more than to hand them over.
        const taken = this.write(this.pending[this.next++]!);
        if (taken) await taken;
      }
      this.moves += 1;
      this.pending = [];
      this.next = 0;
      this.delivering = false;
      this.delivered();
    } catch (error) {
      this.delivering = false;
      this.drop(1, 'sink-failed');
      this.stop('sink-failed', errorMessage(error));
    }
  }

  private write(data: Buffer): Promise<void> | undefined {
    const { plan } = this.home;
    this.sequence += 1;
    // The newest sink: a reload may have replaced the one from when the connection came.
    this.sink = plan.sink ?? this.sink;
    return this.sink?.write({
      time: this.time,
      listener: plan.name,
      connection: this.id,
      client: this.clientName,
      sequence: this.sequence,
      data,
    });
  }

  private timeNow(): string {
    return new Date(this.home.wall()).toISOString();
  }

  /** Everything that was read is with the sink. */
  private delivered(): void {
    const failure = this.framer!.failure;
    if (this.closed) this.settle();
    else if (failure) this.stop(failure);
    else if (this.clientEnded) this.client.end();
    else this.client.resume();
  }

  /** Over when the socket is closed and the sink owes no answer; when it was stopped, without waiting for that. */
  private settle(): void {
    if (this.closed && (this.stopped || !this.delivering)) this.finish(this.reason ?? 'done', this.detail);
  }
}

function isDropReason(reason: string): reason is DropReason {
  return (dropReasons as readonly string[]).includes(reason);
}
