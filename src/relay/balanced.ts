// One balanced connection: find a target that answers, then pass bytes and ends both ways.
import type { Socket } from 'node:net';
import { errorCode, errorMessage } from '../core/errors.ts';
import { announce } from '../listen/index.ts';
import { dialTarget, type Opening } from './dial.ts';
import { lingerMs, reasonOf } from './ending.ts';
import type { EndReason, Target } from './engine.ts';
import { Search } from './search.ts';
import { Served } from './served.ts';
import { reset, whenFlushed } from './sockets.ts';
import type { Waiter } from './waiting-room.ts';

export class BalancedConnection extends Served implements Waiter {
  private readonly picker = this.home.pickerFor(this.guest.route);
  private upstream: Socket | null = null;
  /** What the client said before a target answered; one chunk, then the client is paused. */
  private early: Buffer | null = null;
  private readonly search = new Search();
  private cancelDial: (() => void) | null = null;
  private readonly ended = { client: false, target: false };
  private openSockets = 1;
  private reason: EndReason | null = null;
  private detail: string | null = null;
  private linger: NodeJS.Timeout | undefined;
  private waitEnds: NodeJS.Timeout | undefined;

  start(): void {
    const { client } = this;
    client.on('data', (chunk: Buffer) => this.fromClient(chunk));
    client.on('drain', () => {
      this.moves += 1;
      this.upstream?.resume();
    });
    client.on('end', () => {
      this.ended.client = true;
      this.upstream?.end();
    });
    client.on('error', (error) => this.fail('client', error));
    client.on('close', () => this.socketClosed());
    this.connect();
    if (!client.destroyed) client.resume();
  }

  stop(reason: EndReason, detail: string | null = null): void {
    this.reason ??= reason;
    this.detail ??= detail;
    this.abandonDial();
    reset(this.client);
    if (this.upstream) reset(this.upstream);
  }

  get choosy(): boolean {
    return this.search.choosy || this.guest.route !== null;
  }

  tryAgain(): boolean {
    return this.connect();
  }

  /** False where it has to wait for a place. */
  private connect(): boolean {
    const { plan, budget } = this.home;
    const { search, picker } = this;
    const target = search.next(picker, plan.config.balance?.retries ?? 0, budget, this.address);
    this.retries = search.retries;
    if (target === 'full') {
      this.wait();
      return false;
    }
    this.stopWaiting();
    if (!target) {
      this.stop(search.reason, search.failure);
      return true;
    }
    this.target = target.id;
    this.cancelDial = dialTarget(
      target,
      this.opening,
      plan.config.balance?.connectTimeout ?? 5000,
      (socket) => this.connected(socket),
      (error) => this.notConnected(target, error),
    );
    return true;
  }

  private wait(): void {
    if (this.waitEnds) return;
    const { room, plan } = this.home;
    if (!room.join(this)) {
      this.stop('queue-full');
      return;
    }
    const { timeout } = plan.config.balance!.queue;
    this.waitEnds = setTimeout(() => this.stop('queue-timeout'), timeout);
  }

  private stopWaiting(): void {
    if (!this.waitEnds) return;
    clearTimeout(this.waitEnds);
    this.waitEnds = undefined;
    this.home.room.leave(this);
  }

  private notConnected(target: Target, error: unknown): void {
    const { reports, plan } = this.home;
    const code = errorCode(error) ?? 'EUNKNOWN';
    this.cancelDial = null;
    this.target = null;
    this.search.failed(this.picker, target, code);
    reports.targetFailed(plan.name, target.id, code);
    this.connect();
  }

  private abandonDial(): void {
    this.cancelDial?.();
    this.cancelDial = null;
    this.search.over();
    this.stopWaiting();
  }

  private connected(upstream: Socket): void {
    this.cancelDial = null;
    this.search.over();
    this.connectMs = this.home.now() - this.startedAt;
    this.moves += 1;
    this.upstream = upstream;
    this.openSockets += 1;
    upstream.on('data', (chunk: Buffer) => this.fromTarget(chunk));
    upstream.on('drain', () => {
      this.moves += 1;
      this.client.resume();
    });
    upstream.on('end', () => {
      this.ended.target = true;
      this.client.end();
    });
    upstream.on('error', (error) => this.fail('target', error));
    upstream.on('close', () => this.socketClosed());
    const { early } = this;
    this.early = null;
    if (early && !upstream.write(early)) this.client.pause();
    else this.client.resume();
    if (this.ended.client) upstream.end();
  }

  private get opening(): Opening {
    const { plan } = this.home;
    const { send } = plan.config.proxyProtocol;
    return {
      // Not counted, since no client has said it.
      header: send === false ? null : announce(send, this.guest, this.guest.heard),
      tls: plan.targetTls ?? null,
      protocol: this.guest.protocol,
    };
  }

  private fromClient(chunk: Buffer): void {
    const { upstream, home } = this;
    this.moves += 1;
    this.received += chunk.length;
    home.reports.received(home.plan.name, chunk.length);
    if (upstream) {
      if (!upstream.write(chunk)) this.client.pause();
      return;
    }
    this.early = this.early ? Buffer.concat([this.early, chunk]) : chunk;
    this.client.pause();
  }

  private fromTarget(chunk: Buffer): void {
    const { home } = this;
    this.moves += 1;
    this.sent += chunk.length;
    home.reports.sent(home.plan.name, chunk.length);
    if (!this.client.write(chunk)) this.upstream!.pause();
  }

  /** One side is gone: what it had said still reaches the other, then that one learns of it the same way. */
  private fail(side: 'client' | 'target', error: unknown): void {
    if (this.reason) return;
    this.reason = reasonOf(errorCode(error), side);
    this.detail = errorMessage(error);
    this.abandonDial();
    const other = side === 'client' ? this.upstream : this.client;
    if (!other || other.destroyed) return;
    other.removeAllListeners('data');
    if (this.ended[side]) {
      // All it had to say is with us, and its FIN is on the way: only the other's words have nowhere to go.
      other.on('data', ignore);
      other.resume();
      whenFlushed(other, () => {
        this.linger = setTimeout(reset, lingerMs, other).unref();
      });
    } else {
      other.pause();
      whenFlushed(other, () => reset(other));
    }
  }

  private socketClosed(): void {
    this.openSockets -= 1;
    if (this.openSockets > 0) return;
    this.abandonDial();
    clearTimeout(this.linger);
    if (this.target !== null) this.picker.leave(this.target);
    this.finish(this.reason ?? 'done', this.detail);
  }
}

function ignore(): void {}
