// One relayed connection in a worker: find a target that answers, then pass bytes and ends both ways.
import { epoll, errnoName, errorNumber, linux } from '../../ffi/index.ts';
import { lingerMs, reasonOf } from '../ending.ts';
import type { EndReason } from '../engine.ts';
import { type Home, Seeking } from './seeking.ts';
import { moved, type Side, unusual } from './side.ts';
import { ignoreInput } from './sockets.ts';

/** So many pieces of one connection before it is the next one's turn. */
const piecesPerTurn = 8;

const incoming = linux.EPOLLIN | unusual;
const outgoing = linux.EPOLLOUT | linux.EPOLLERR | linux.EPOLLHUP;

/** The listener that a connection belongs to. */
export interface Owner extends Home {
  left(connection: Connection): void;
}

export class Connection extends Seeking {
  /** Among those of its listener. */
  index = 0;
  protected home!: Owner;
  /** The side that outlives the other while what that one said is passed on. */
  private survivor: Side | null = null;
  /** All of that was passed on: the survivor has only so long to end as well. */
  private lingers = false;

  start(fd: number, address: string, port: number, home: Owner): void {
    this.address = address;
    this.port = port;
    this.home = home;
    this.client.fd = fd;
    this.client.prompt = true;
    this.startedAt = this.plane.loop.now;
    this.movedAt = this.startedAt;
    this.phase = 'connecting';
    const size = this.hear();
    if (this.isOpen) this.connect();
    if (size > 0 && this.isOpen) this.speakAtOnce(size);
    // After the target, so that the kernel tells of the target first: a request then needs no waiting place.
    if (this.isOpen) this.client.watch();
  }

  /** Ends it now, both sides by a reset. */
  stop(reason: EndReason, detail: string | null = null): void {
    this.ending ??= reason;
    this.detail ??= detail;
    this.finish(true);
  }

  /** Connected to this target, by its id. */
  isTo(target: string): boolean {
    return this.place?.id === target && this.connectMs !== null;
  }

  happened(side: Side, events: number): void {
    if (this.phase === 'relaying') this.relay(side, events);
    else if (this.phase === 'ending') this.wrapUp();
    else if (this.phase !== 'over') this.whileSeeking(side, events);
  }

  goOn(side: Side): void {
    side.postponed = false;
    if (this.phase === 'relaying' && !side.blocked) this.pump(side);
  }

  expire(now: number): void {
    if (this.phase === 'connecting') this.notConnected('ETIMEDOUT');
    else if (this.phase === 'waiting') this.stop('queue-timeout');
    else if (this.lingers) this.finish(true);
    else if (now >= this.movedAt + this.home.idleMs) this.stop('idle');
    else if (now >= this.speaksBy) this.stop('silent');
    else this.plane.loop.wheel.set(this, this.quietUntil);
  }

  /** The times that it is given have changed. */
  retime(): void {
    if (this.phase === 'relaying') this.plane.loop.wheel.set(this, this.quietUntil);
  }

  private get speaksBy(): number {
    const { firstBytesMs } = this.home;
    return firstBytesMs === null || this.received > 0
      ? Number.POSITIVE_INFINITY
      : this.startedAt + firstBytesMs;
  }

  private get quietUntil(): number {
    return Math.min(this.movedAt + this.home.idleMs, this.speaksBy);
  }

  private get isOpen(): boolean {
    return this.phase !== 'over';
  }

  protected connected(events: number): void {
    const { loop } = this.plane;
    this.movedAt = loop.now;
    this.phase = 'relaying';
    loop.wheel.set(this, this.quietUntil);
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
  private pump(from: Side): void {
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
    else if (result === moved.ended) this.ended(from);
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

  /** Two turns later: by then the other side's end is often there too, and closing both says it all. */
  private ended(from: Side): void {
    const { other } = from;
    from.ended = true;
    if (other.ended) {
      this.ending = 'done';
      this.finish(false);
    } else if (from.patience > 0) {
      from.patience -= 1;
      this.postpone(from);
    } else if (!from.told) {
      from.told = true;
      epoll.shutdown(other.fd, linux.SHUT_WR);
    }
  }

  protected count(from: Side, bytes: number): void {
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
  protected fail(side: Side, number: number, call: string): void {
    const code = errnoName(number || errorNumber.EINPROGRESS);
    this.ending = reasonOf(code, side.name);
    this.detail = `${call} ${code}`;
    this.plane.loop.close(side.fd);
    side.fd = -1;
    if (this.phase === 'connecting' || this.phase === 'waiting') {
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
    this.endSearch();
    this.phase = 'over';
    const { plane } = this;
    plane.loop.wheel.cancel(this);
    this.client.close(byReset);
    this.target.close(byReset);
    const { home, place } = this;
    this.survivor = null;
    this.lingers = false;
    home.left(this);
    this.forget();
    // Last: who waits for the place may take it at once.
    if (place) home.picker.leave(place.id);
  }
}
