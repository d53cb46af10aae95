// One relayed connection in a worker: find a target that answers, then pass bytes and ends both ways.
import { epoll, errnoName, errorNumber, linux } from '../../ffi/index.ts';
import { lingerMs, reasonOf } from '../ending.ts';
import type { EndReason } from '../engine.ts';
import type { Picker } from '../picker.ts';
import { Search } from '../search.ts';
import type { NewsDesk } from './news.ts';
import type { Place } from './place.ts';
import type { Plane } from './plane.ts';
import { moved, Side, type SideOwner, unusual } from './side.ts';
import { connectTo, ignoreInput } from './sockets.ts';
import { Visit } from './visit.ts';
import type { Timed } from './wheel.ts';

/** So many pieces of one connection before it is the next one's turn. */
const piecesPerTurn = 8;

const incoming = linux.EPOLLIN | unusual;
const outgoing = linux.EPOLLOUT | linux.EPOLLERR | linux.EPOLLHUP;

type Phase = 'over' | 'connecting' | 'relaying' | 'ending';

/** What a connection needs from the listener that it belongs to. */
export interface Home {
  readonly picker: Picker<Place>;
  readonly news: NewsDesk;
  readonly retries: number;
  readonly connectTimeoutMs: number;
  readonly idleMs: number;
  left(connection: Connection): void;
}

export class Connection extends Visit implements Timed, SideOwner {
  due = 0;
  before: Timed | null = null;
  after: Timed | null = null;

  home!: Home;
  private readonly plane: Plane;
  private readonly client: Side;
  private readonly target: Side;
  private phase: Phase = 'over';
  private search: Search | null = null;
  private movedAt = 0;
  /** The side that outlives the other while what that one said is passed on. */
  private survivor: Side | null = null;
  /** All of that was passed on: the survivor has only so long to end as well. */
  private lingers = false;

  constructor(plane: Plane) {
    super();
    this.plane = plane;
    this.client = new Side('client', this, plane);
    this.target = new Side('target', this, plane);
    this.client.other = this.target;
    this.target.other = this.client;
  }

  start(fd: number, address: string, port: number, home: Home): void {
    this.address = address;
    this.port = port;
    this.home = home;
    this.client.fd = fd;
    this.startedAt = this.plane.loop.now;
    this.movedAt = this.startedAt;
    this.phase = 'connecting';
    this.connect();
    // After the target, so that the kernel tells of the target first: a request then needs no waiting place.
    if (this.isOpen) this.client.watch();
  }

  /** Ends it now, both sides by a reset. */
  stop(reason: EndReason, detail: string | null = null): void {
    this.reason ??= reason;
    this.detail ??= detail;
    this.finish(true);
  }

  happened(side: Side, events: number): void {
    if (this.phase === 'relaying') this.relay(side, events);
    else if (this.phase === 'ending') this.wrapUp();
    else if (this.phase === 'connecting') this.whileConnecting(side, events);
  }

  goOn(side: Side): void {
    side.postponed = false;
    if (this.phase === 'relaying' && !side.blocked) this.pump(side, true);
  }

  expire(now: number): void {
    if (this.phase === 'connecting') {
      this.notConnected('ETIMEDOUT');
      return;
    }
    const quietUntil = this.movedAt + this.home.idleMs;
    if (this.lingers) this.finish(true);
    else if (now >= quietUntil) this.stop('idle');
    else this.plane.loop.wheel.set(this, quietUntil);
  }

  /** The idle time has changed. */
  retime(): void {
    if (this.phase === 'relaying') this.plane.loop.wheel.set(this, this.movedAt + this.home.idleMs);
  }

  private get isOpen(): boolean {
    return this.phase !== 'over';
  }

  private connect(): void {
    const { home, plane, target } = this;
    this.search ??= new Search();
    for (;;) {
      this.place = this.search.next(home.picker, home.retries);
      this.retries = this.search.retries;
      if (!this.place) {
        this.stop(this.search.reason, this.search.failure);
        return;
      }
      const made = connectTo(this.place, plane);
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

  private notConnected(code: string): void {
    this.target.close(false);
    this.tookFailure(code);
    this.connect();
  }

  private tookFailure(code: string): void {
    const place = this.place!;
    this.place = null;
    this.search!.failed(this.home.picker, place, code);
    place.failed();
    this.home.news.targetFailed(place.id, code);
  }

  private whileConnecting(side: Side, events: number): void {
    if (side === this.target) {
      if (events & (linux.EPOLLERR | linux.EPOLLHUP)) {
        this.notConnected(errnoName(this.plane.ask.error(side.fd) || errorNumber.EINPROGRESS));
      } else if (events & linux.EPOLLOUT) {
        if (this.plane.ask.isSelfConnect(side.fd, this.place!)) this.notConnected('ECONNREFUSED');
        else this.connected(events);
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

  private connected(events: number): void {
    const { loop } = this.plane;
    this.connectMs = loop.now - this.startedAt;
    this.movedAt = loop.now;
    this.phase = 'relaying';
    this.search = null;
    loop.wheel.set(this, loop.now + this.home.idleMs);
    if (this.client.holds || this.client.eof || this.client.more) this.pump(this.client);
    // A target that speaks first may have done so by now.
    if (this.phase === 'relaying') this.relay(this.target, events);
  }

  private relay(side: Side, events: number): void {
    // A reset that comes after the end of what a side said is met by the next write to it.
    if (!side.eof && !side.blocked && events & incoming) {
      this.pump(side);
      if (this.phase !== 'relaying') return;
    }
    const { other } = side;
    if (other.blocked && events & outgoing) this.pump(other);
  }

  /** Moves what can be moved from one side to the other. */
  private pump(from: Side, late = false): void {
    from.blocked = false;
    let result = from.holds ? from.flush() : moved.on;
    if (result === moved.on && from.eof) result = moved.ended;
    for (let pieces = 0; result === moved.on && pieces < piecesPerTurn; pieces++) {
      result = from.move();
      if (from.took > 0) this.count(from, from.took);
    }
    if (!from.holds) from.releasePipe();
    else this.movedAt = this.plane.loop.now;
    if (result === moved.on) this.postpone(from);
    else if (result === moved.ended) this.ended(from, late);
    else if (result === moved.failed) this.failedMove(from);
  }

  private postpone(side: Side): void {
    if (!side.postponed) this.plane.loop.later(side);
    side.postponed = true;
  }

  private failedMove(from: Side): void {
    if (from.errno !== 0) this.fail(from, from.errno, 'read');
    else this.fail(from.other, from.other.errno, 'write');
  }

  /** At the end of the turn: by then the other side's end is often there too, and closing both says it all. */
  private ended(from: Side, late: boolean): void {
    const { other } = from;
    from.ended = true;
    if (other.ended) {
      this.reason = 'done';
      this.finish(false);
    } else if (!late) {
      this.postpone(from);
    } else if (!from.told) {
      from.told = true;
      epoll.shutdown(other.fd, linux.SHUT_WR);
    }
  }

  private count(from: Side, bytes: number): void {
    this.movedAt = this.plane.loop.now;
    if (from === this.client) {
      this.received += bytes;
      this.home.news.received(bytes);
    } else {
      this.sent += bytes;
      this.home.news.sent(bytes);
    }
  }

  /** One side is gone: what it had said still reaches the other, then that one learns of it the same way. */
  private fail(side: Side, number: number, call: string): void {
    const code = errnoName(number || errorNumber.EINPROGRESS);
    this.reason = reasonOf(code, side.name);
    this.detail = `${call} ${code}`;
    this.plane.loop.close(side.fd);
    side.fd = -1;
    if (this.phase === 'connecting') {
      this.finish(true);
      return;
    }
    this.phase = 'ending';
    this.survivor = side.other;
    this.plane.loop.wheel.set(this, this.plane.loop.now + this.home.idleMs);
    this.wrapUp();
  }

  private wrapUp(): void {
    this.movedAt = this.plane.loop.now;
    const survivor = this.survivor!;
    const gone = survivor.other;
    if (gone.holds) {
      const result = gone.flush();
      if (result === moved.failed) {
        this.finish(true);
        return;
      }
      if (result === moved.waits) return;
    }
    if (!gone.eof) {
      this.finish(true);
      return;
    }
    if (!gone.told) epoll.shutdown(survivor.fd, linux.SHUT_WR);
    gone.told = true;
    if (!this.lingers) this.plane.loop.wheel.set(this, this.plane.loop.now + lingerMs);
    this.lingers = true;
    if (survivor.eof || ignoreInput(survivor.fd, this.plane)) this.finish(false);
  }

  /** Every socket is closed, the books are in order, and the object is free for the next connection. */
  private finish(byReset: boolean): void {
    if (this.phase === 'over') return;
    this.phase = 'over';
    const { plane } = this;
    plane.loop.wheel.cancel(this);
    this.client.close(byReset);
    this.target.close(byReset);
    if (this.place) this.home.picker.leave(this.place.id);
    this.home.left(this);
    this.forget();
    this.search = null;
    this.survivor = null;
    this.lingers = false;
  }
}
