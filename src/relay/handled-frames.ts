// One connection whose frames a handler answers, one after another.
import { once } from 'node:events';
import { createFramer, HandlerError, type HandlerPool } from '../listen/index.ts';
import type { EndReason } from './engine.ts';
import { Framed } from './framed.ts';

export class FramesHandled extends Framed<Buffer> {
  /** Nobody is left to answer. */
  protected readonly outlivesClient = false;
  protected readonly framerOf = createFramer;
  private pool: HandlerPool | null = null;

  override start(): void {
    // Another file after a reload is for new connections.
    this.pool = this.home.plan.handler!;
    this.pool.hold();
    super.start();
  }

  protected async hand(frame: Buffer): Promise<void> {
    this.sequence += 1;
    const answer = await this.pool!.frame(frame, {
      listener: this.home.plan.name,
      client: this.clientName,
      connection: this.id,
      sequence: this.sequence,
    });
    if (answer && !this.closed) await this.write(answer);
  }

  protected failed(error: unknown): EndReason {
    return error instanceof HandlerError ? error.reason : 'error';
  }

  protected override letGo(): void {
    this.pool?.release();
    this.pool = null;
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
}
