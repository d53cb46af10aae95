// One connection that a handler has as a whole: bytes both ways over a message port, each side no faster than the other.
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { errorCode, errorMessage } from '../core/errors.ts';
import {
  type FromThread,
  HandlerError,
  type HandlerPool,
  type ToThread,
  windowSize,
} from '../listen/index.ts';
import { connectionId } from './connection-id.ts';
import { reasonOf } from './ending.ts';
import type { EndReason } from './engine.ts';
import { Served } from './served.ts';
import { reset } from './sockets.ts';

export class StreamHandled extends Served {
  private pool: HandlerPool | null = null;
  private port: MessagePort | null = null;
  private unread = 0;
  private readonly hung = new AbortController();
  private timer: NodeJS.Timeout | undefined;
  /** Whether the thread has answered since it was last asked. */
  private alive = true;
  private handling = true;
  private closed = false;
  private reason: EndReason | null = null;
  private detail: string | null = null;

  start(): void {
    const { client, home } = this;
    const { port1, port2 } = new MessageChannel();
    this.port = port1;
    const pool = home.plan.handler!;
    this.pool = pool;
    pool.hold();
    port1.on('message', (message: FromThread) => this.fromThread(message));
    client.on('data', (chunk: Buffer) => {
      this.moves += 1;
      this.received += chunk.length;
      this.unread += chunk.length;
      home.reports.received(home.plan.name, chunk.length);
      this.post(chunk);
      if (this.unread > windowSize) client.pause();
    });
    client.on('end', () => this.post('end'));
    client.on('error', (error) => {
      this.reason ??= reasonOf(errorCode(error), 'client');
      this.detail ??= errorMessage(error);
    });
    client.on('close', () => {
      this.closed = true;
      this.post('gone');
      this.settle();
    });
    const sender = { listener: home.plan.name, client: this.clientName, connection: connectionId() };
    this.pool
      .connection(port2, sender, () => this.begin(), this.hung.signal)
      .then(
        () => this.handled(),
        (error) => {
          this.handled();
          if (!this.closed)
            this.stop(error instanceof HandlerError ? error.reason : 'error', errorMessage(error));
        },
      );
  }

  stop(reason: EndReason, detail: string | null = null): void {
    this.reason ??= reason;
    this.detail ??= detail;
    if (this.closed) this.settle();
    else reset(this.client);
  }

  /** Nothing is read before a thread has taken it up. */
  private begin(): void {
    if (!this.client.destroyed) this.client.resume();
    this.timer = setInterval(() => {
      if (!this.alive) this.hung.abort();
      this.alive = false;
      this.post('ping');
    }, this.pool!.config.timeout).unref();
  }

  private fromThread(message: FromThread): void {
    const { client, home } = this;
    this.alive = true;
    if (message instanceof Uint8Array) {
      this.moves += 1;
      this.sent += message.length;
      home.reports.sent(home.plan.name, message.length);
      client.write(message, () => this.post({ written: message.length }));
    } else if (message === 'done') {
      client.end();
      // What still comes has nobody to read it, and would keep the end from being seen.
      client.removeAllListeners('data');
      client.resume();
    } else if (message !== 'pong') {
      this.unread -= message.read;
      if (this.unread <= windowSize) client.resume();
    }
  }

  private post(message: ToThread): void {
    this.port?.postMessage(message);
  }

  private handled(): void {
    this.handling = false;
    clearInterval(this.timer);
    this.settle();
  }

  /** The port closes last: what the handler wrote before its end is still in it. */
  private settle(): void {
    if (!this.closed || this.handling) return;
    this.port?.close();
    this.port = null;
    this.pool?.release();
    this.pool = null;
    this.finish(this.reason ?? 'done', this.detail);
  }
}
