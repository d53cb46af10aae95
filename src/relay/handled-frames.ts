// One connection whose frames a handler answers, one after another.
import { once } from 'node:events';
import { errorCode, errorMessage } from '../core/errors.ts';
import { createFramer, type Framer, HandlerError, type HandlerPool } from '../listen/index.ts';
import { connectionId } from './connection-id.ts';
import { reasonOf } from './ending.ts';
import type { EndReason } from './engine.ts';
import { Served } from './served.ts';
import { reset } from './sockets.ts';

export class FramesHandled extends Served {
  private readonly id = connectionId();
  private framer: Framer | null = null;
  private pool: HandlerPool | null = null;
  private pending: Buffer[] = [];
  private next = 0;
  private sequence = 0;
  private answering = false;
  private clientEnded = false;
  private closed = false;
  private stopped = false;
  private reason: EndReason | null = null;
  private detail: string | null = null;

  start(): void {
    const { client, home } = this;
    const { frame, limits } = home.plan.config;
    this.framer = createFramer(frame ?? 'line', limits.frame);
    // Another file after a reload is for new connections.
    const pool = home.plan.handler!;
    this.pool = pool;
    pool.hold();
    client.on('data', (chunk: Buffer) => {
      this.moves += 1;
      this.received += chunk.length;
      home.reports.received(home.plan.name, chunk.length);
      this.take(this.framer!.push(chunk));
    });
    client.on('end', () => {
      this.clientEnded = true;
      this.take(this.framer!.end());
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
    if (this.closed) this.settle();
    else reset(this.client);
  }

  /** One that waits for its answer is not idle. */
  override checkTimes(now: number, idleMs: number, firstBytesMs: number | undefined): void {
    if (this.answering) this.moves += 1;
    super.checkTimes(now, idleMs, firstBytesMs);
  }

  private take(frames: Buffer[]): void {
    for (const frame of frames) this.pending.push(frame);
    if (this.answering) return;
    this.answering = true;
    this.client.pause();
    void this.answer();
  }

  private async answer(): Promise<void> {
    try {
      while (this.next < this.pending.length && !this.closed && !this.stopped) {
        const frame = this.pending[this.next++]!;
        this.sequence += 1;
        const context = {
          ...{ listener: this.home.plan.name, client: this.clientName },
          ...{ connection: this.id, sequence: this.sequence },
        };
        const answer = await this.pool!.frame(frame, context);
        if (answer && !this.closed) await this.write(answer);
      }
      this.pending = [];
      this.next = 0;
      this.answering = false;
      this.answered();
    } catch (error) {
      this.answering = false;
      this.stop(error instanceof HandlerError ? error.reason : 'error', errorMessage(error));
    }
  }

  private async write(answer: Uint8Array): Promise<void> {
    this.moves += 1;
    this.sent += answer.length;
    this.home.reports.sent(this.home.plan.name, answer.length);
    if (this.client.write(answer) || this.client.destroyed) return;
    const gone = new AbortController();
    this.client.once('close', () => gone.abort());
    await once(this.client, 'drain', { signal: gone.signal }).catch(() => {});
  }

  private answered(): void {
    const failure = this.framer!.failure;
    if (this.closed) this.settle();
    else if (failure) this.stop(failure);
    else if (this.clientEnded) this.client.end();
    else this.client.resume();
  }

  private settle(): void {
    if (!this.closed || (this.answering && !this.stopped)) return;
    this.pool?.release();
    this.pool = null;
    this.finish(this.reason ?? 'done', this.detail);
  }
}
