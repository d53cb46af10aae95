// One connection whose data is cut into frames, each handed over in order, no faster than it is taken.
import { errorCode, errorMessage } from '../core/errors.ts';
import type { FrameKind, Framer } from '../listen/index.ts';
import { connectionId } from './connection-id.ts';
import { reasonOf } from './ending.ts';
import type { EndReason } from './engine.ts';
import { Served } from './served.ts';
import { reset } from './sockets.ts';

export abstract class Framed<Frame> extends Served {
  protected readonly id = connectionId();
  protected sequence = 0;
  protected closed = false;
  private framer: Framer<Frame> | null = null;
  /** Frames that wait, from `next` on. */
  private pending: Frame[] = [];
  private next = 0;
  private handing = false;
  private clientEnded = false;
  private stopped = false;
  private reason: EndReason | null = null;
  private detail: string | null = null;

  protected abstract framerOf(kind: FrameKind, limit: number): Framer<Frame>;
  /** Takes one frame; undefined where it is taken at once. */
  protected abstract hand(frame: Frame): Promise<void> | undefined;
  /** Why the connection ends when a frame could not be taken. */
  protected abstract failed(error: unknown): EndReason;
  /** Whether frames are handed over though the client has gone. */
  protected abstract readonly outlivesClient: boolean;
  /** Something came from the client. */
  protected arrived(): void {}
  /** These will not be handed over. */
  protected abandoned(_frames: number, _reason: EndReason): void {}
  protected letGo(): void {}

  start(): void {
    const { client } = this;
    const { frame, limits } = this.home.plan.config;
    this.framer = this.framerOf(frame ?? 'line', limits.frame);
    client.on('data', (chunk: Buffer) => this.fromClient(chunk));
    client.on('end', () => {
      this.clientEnded = true;
      this.arrived();
      this.handAll(this.framer!.end());
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
    this.abandoned(this.pending.length - this.next, reason);
    this.pending = [];
    this.next = 0;
    if (this.closed) this.settle();
    else reset(this.client);
  }

  /** One that waits for others is not idle: what it sent would be lost. */
  override checkTimes(now: number, idleMs: number, firstBytesMs: number | undefined): void {
    if (this.handing) this.moves += 1;
    super.checkTimes(now, idleMs, firstBytesMs);
  }

  private fromClient(chunk: Buffer): void {
    const { reports, plan } = this.home;
    this.moves += 1;
    this.received += chunk.length;
    reports.received(plan.name, chunk.length);
    this.arrived();
    this.handAll(this.framer!.push(chunk));
  }

  /** While a frame takes its time nothing more is read: at most what Node had read before waits in `pending`. */
  private handAll(frames: Frame[]): void {
    if (this.handing) {
      // Node may still bring what it had read before the pause, and then the end.
      for (const frame of frames) this.pending.push(frame);
      return;
    }
    for (let at = 0; at < frames.length; at++) {
      const taken = this.hand(frames[at]!);
      if (!taken) continue;
      this.pending = frames.slice(at + 1);
      this.handing = true;
      this.client.pause();
      void this.handRest(taken);
      return;
    }
    this.handed();
  }

  private async handRest(first: Promise<void>): Promise<void> {
    try {
      await first;
      while (this.next < this.pending.length && (this.outlivesClient || !this.closed)) {
        // Most are taken at once: to await those too would cost more than to hand them over.
        const taken = this.hand(this.pending[this.next++]!);
        if (taken) await taken;
      }
      this.moves += 1;
      this.pending = [];
      this.next = 0;
      this.handing = false;
      this.handed();
    } catch (error) {
      this.handing = false;
      this.stop(this.failed(error), errorMessage(error));
    }
  }

  /** Everything that was read has been taken. */
  private handed(): void {
    const failure = this.framer!.failure;
    if (this.closed) this.settle();
    else if (failure) this.stop(failure);
    else if (this.clientEnded) this.client.end();
    else this.client.resume();
  }

  /** Over when the socket is closed and nobody owes an answer; when it was stopped, without waiting for that. */
  private settle(): void {
    if (!this.closed || (this.handing && !this.stopped)) return;
    this.letGo();
    this.finish(this.reason ?? 'done', this.detail);
  }
}
