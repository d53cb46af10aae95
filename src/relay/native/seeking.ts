// A connection on its way to a target: which one, waiting for a place, connecting, and the next where that fails.

import type { Picker } from '../../core/balance/picker.ts';
import type { RetryBudget } from '../../core/balance/retry-budget.ts';
import { epoll, errno, errnoName, errorNumber, linux } from '../../ffi/index.ts';
import type { EndReason } from '../engine.ts';
import { Search } from '../search.ts';
import type { Waiter, WaitingRoom } from '../waiting-room.ts';
import type { NewsDesk } from './news.ts';
import type { Place } from './place.ts';
import { chunkSize, type Plane } from './plane.ts';
import { Side, type SideOwner } from './side.ts';
import { connectTo } from './sockets.ts';
import { Visit } from './visit.ts';
import type { Timed } from './wheel.ts';

export type Phase = 'over' | 'waiting' | 'connecting' | 'relaying' | 'ending';

/** What a connection needs from the listener that it belongs to. */
export interface Home {
  readonly picker: Picker<Place>;
  readonly budget: RetryBudget;
  readonly room: WaitingRoom;
  readonly news: NewsDesk;
  readonly retries: number;
  readonly connectTimeoutMs: number;
  readonly queueTimeoutMs: number;
  readonly idleMs: number;
  /** The client must have said something by then; null: it need not. */
  readonly firstBytesMs: number | null;
}

export abstract class Seeking extends Visit implements Timed, SideOwner, Waiter {
  due = 0;
  before: Timed | null = null;
  after: Timed | null = null;

  protected readonly plane: Plane;
  protected readonly client: Side;
  protected readonly target: Side;
  protected phase: Phase = 'over';
  protected movedAt = 0;
  private search: Search | null = null;

  constructor(plane: Plane) {
    super();
    this.plane = plane;
    this.client = new Side('client', this, plane);
    this.target = new Side('target', this, plane);
    this.client.other = this.target;
    this.target.other = this.client;
  }

  protected abstract readonly home: Home;
  abstract stop(reason: EndReason, detail?: string | null): void;
  abstract happened(side: Side, events: number): void;
  abstract goOn(side: Side): void;
  abstract expire(now: number): void;
  /** The target has accepted; `events` are what its socket told then. */
  protected abstract connected(events: number): void;
  protected abstract fail(side: Side, number: number, call: string): void;
  protected abstract count(from: Side, bytes: number): void;

  get choosy(): boolean {
    return this.search?.choosy ?? false;
  }

  tryAgain(): boolean {
    this.connect();
    return this.phase !== 'waiting';
  }

  protected connect(): void {
    const { home, plane, target } = this;
    this.search ??= new Search();
    for (;;) {
      const next = this.search.next(home.picker, home.retries, home.budget, this.address);
      this.retries = this.search.retries;
      if (next === 'full') {
        this.wait();
        return;
      }
      this.phase = 'connecting';
      this.place = next;
      if (!next) {
        this.stop(this.search.reason, this.search.failure);
        return;
      }
      const made = connectTo(next, plane);
      if (typeof made === 'number') {
        target.fd = made;
        target.watch();
        plane.loop.wheel.set(this, plane.loop.now + home.connectTimeoutMs);
        return;
      }
      if (made === 'EMFILE' || made === 'ENFILE') {
        this.stop('error', `socket ${made}`);
        return;
      }
      this.tookFailure(made);
    }
  }

  /** What the client has said by the time it is taken up, in the shared buffer; returns its length. */
  protected hear(): number {
    const { client, plane } = this;
    const size = epoll.recv(client.fd, plane.buffer.pointer, chunkSize, 0);
    if (size < 0) {
      const number = errno();
      if (number !== errorNumber.EAGAIN && number !== errorNumber.EINTR) this.fail(client, number, 'read');
      return 0;
    }
    client.eof = size === 0;
    if (size > 0) this.count(client, size);
    return size;
  }

  /**
   * A target on this machine has accepted by now, although `connect` calls it under way: what the client has said
   * already goes out at once, without another turn. To any other target it is kept.
   */
  protected speakAtOnce(size: number): void {
    const { client, target, plane } = this;
    if (this.phase !== 'connecting' || plane.ask.isSelfConnect(target.fd, this.place!)) {
      client.keep(0, size);
      return;
    }
    const sent = target.take(plane.buffer.pointer, size, 0);
    const number = sent < 0 ? errno() : 0;
    if (sent < size) client.keep(Math.max(sent, 0), size);
    if (number === 0) this.accepted(0);
    else if (number !== errorNumber.EAGAIN) this.notConnected(errnoName(number));
  }

  protected notConnected(code: string): void {
    this.target.close(false);
    this.tookFailure(code);
    this.connect();
  }

  /** What happens on either socket before a target has accepted. */
  protected whileSeeking(side: Side, events: number): void {
    if (side === this.target) {
      if (events & (linux.EPOLLERR | linux.EPOLLHUP)) {
        this.notConnected(errnoName(this.plane.ask.error(side.fd) || errorNumber.EINPROGRESS));
      } else if (events & linux.EPOLLOUT) {
        if (this.plane.ask.isSelfConnect(side.fd, this.place!)) this.notConnected('ECONNREFUSED');
        else this.accepted(events);
      }
      return;
    }
    if (events & linux.EPOLLERR) {
      this.fail(side, this.plane.ask.error(side.fd), 'read');
      return;
    }
    // What the client says meanwhile: one chunk is taken, the rest waits where it is.
    if (side.holds || side.eof) return;
    const size = side.readAhead();
    if (size > 0) this.count(side, size);
    else if (side.errno !== 0) this.fail(side, side.errno, 'read');
  }

  /** It looks for no target any more. */
  protected endSearch(): void {
    this.search?.over();
    this.search = null;
    if (this.phase === 'waiting') this.home.room.leave(this);
  }

  private accepted(events: number): void {
    this.endSearch();
    // In the turn in which the client came, the loop's time stands still.
    const now = events === 0 ? performance.now() : this.plane.loop.now;
    this.connectMs = now - this.startedAt;
    this.connected(events);
  }

  private wait(): void {
    if (this.phase === 'waiting') return;
    const { home, plane } = this;
    if (!home.room.join(this)) {
      this.stop('queue-full');
      return;
    }
    this.phase = 'waiting';
    plane.loop.wheel.set(this, plane.loop.now + home.queueTimeoutMs);
  }

  private tookFailure(code: string): void {
    const place = this.place!;
    this.place = null;
    place.failed();
    this.home.news.targetFailed(place.id, code);
    this.search!.failed(this.home.picker, place, code);
  }
}
