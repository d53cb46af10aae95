// One socket of a relayed connection, with what was read from it and is not yet passed on to the other one.
import { epoll, errno, errorNumber, linux, type Pointer } from '../../ffi/index.ts';
import type { Watcher } from './loop.ts';
import { type Pipe, pipeSize } from './pipes.ts';
import { chunkSize, type Plane } from './plane.ts';

export const unusual = linux.EPOLLRDHUP | linux.EPOLLHUP | linux.EPOLLERR | linux.EPOLLPRI;
export const everything =
  (linux.EPOLLIN | linux.EPOLLOUT | linux.EPOLLPRI | linux.EPOLLRDHUP | linux.EPOLLET) >>> 0;

/** So many full reads in a row make a bulk transfer; so many small ones end it. */
const bulkAfter = 2;
const bulkUntil = 4;
const smallSplice = 16 * 1024;

const patienceAtFirst = 2;

/** What an attempt to move data came to. */
export const moved = { on: 0, waits: 1, ended: 2, failed: 3 } as const;
export type Moved = (typeof moved)[keyof typeof moved];

/** Whom a side tells what happens on its socket. */
export interface SideOwner {
  happened(side: Side, events: number): void;
  goOn(side: Side): void;
}

export class Side implements Watcher {
  readonly name: 'client' | 'target';
  other!: Side;
  fd = -1;
  /** Its end was read: what it had to say is all here. */
  eof = false;
  /** All of that was passed on. */
  ended = false;
  /** Its end was passed on. */
  told = false;
  /** The other one takes no more at the moment; what waits for it is held here, and no more is read. */
  blocked = false;
  /** The kernel has more to tell than a short read says: an end, an error, urgent data. */
  more = false;
  /** Of what there is more to tell, it is the end, and nothing else. */
  endIsNear = false;
  /** What is sent to it does not wait for the ACK of what was sent before (TCP_NODELAY). */
  prompt = false;
  /** It is in the loop's list of what goes on in the next turn. */
  postponed = false;
  /** So many turns its end may still wait for the other's before it is passed on. */
  patience = patienceAtFirst;
  /** Of the call that failed last. */
  errno = 0;
  /** Bytes that the last move has read. */
  took = 0;
  private readonly owner: SideOwner;
  private readonly plane: Plane;
  private spokenTo = false;
  private urgent = false;
  private held: Uint8Array | null = null;
  private pipe: Pipe | null = null;
  private inPipe = 0;
  private bulk = false;
  private streak = 0;

  constructor(name: 'client' | 'target', owner: SideOwner, plane: Plane) {
    this.name = name;
    this.owner = owner;
    this.plane = plane;
  }

  ready(events: number): void {
    if (events & unusual) this.note(events);
    this.owner.happened(this, events);
  }

  resume(): void {
    this.owner.goOn(this);
  }

  get holds(): boolean {
    return this.held !== null || this.inPipe > 0;
  }

  watch(): void {
    this.plane.loop.watch(this.fd, everything, this);
  }

  /** Reads one chunk and keeps it. Returns its length, 0 at the end, -1 where there is nothing or `errno` says why. */
  readAhead(): number {
    const { buffer } = this.plane;
    const size = epoll.recv(this.fd, buffer.pointer, chunkSize, 0);
    this.errno = size < 0 ? waiting(errno()) : 0;
    if (size > 0) this.keep(0, size);
    if (size === 0) this.eof = true;
    return size;
  }

  /** A part of the shared buffer, for later. */
  keep(from: number, to: number): void {
    this.held = this.plane.buffer.bytes.slice(from, to);
  }

  /** Passes on what is held. Only a failure of the *other* side makes it fail. */
  flush(): Moved {
    const { other } = this;
    if (this.held) {
      const sent = other.take(this.held, this.held.length, 0);
      if (sent < 0) return this.notTaken();
      this.held = sent === this.held.length ? null : this.held.subarray(sent);
      if (this.held) return this.wait();
    }
    while (this.inPipe > 0) {
      const sent = epoll.splice(this.pipe!.out, null, other.fd, null, this.inPipe, spliceFlags);
      if (sent <= 0) return this.notTaken();
      this.inPipe -= sent;
    }
    return moved.on;
  }

  /** Moves one piece to the other side, and says in `took` how much was read. Nothing is held when it is called. */
  move(): Moved {
    this.took = 0;
    if (this.bulk) return this.splice();
    const { buffer } = this.plane;
    const size = epoll.recv(this.fd, buffer.pointer, chunkSize, 0);
    if (size <= 0) return this.notRead(size);
    this.took = size;
    // Shorter than asked for: that was all, and the kernel will tell of what comes after it. Where it has told of the
    // end already, nothing does (tcp_fin: every byte before it was in the queue by then), and both go in one packet.
    const last = this.endIsNear && size < chunkSize;
    const sent = this.other.take(buffer.pointer, size, last ? linux.MSG_MORE : 0);
    if (sent < size) {
      const result = sent < 0 ? this.notTaken() : this.wait();
      if (result === moved.waits) this.keep(Math.max(sent, 0), size);
      return result;
    }
    if (size === chunkSize) {
      this.streak += 1;
      if (this.streak >= bulkAfter) this.setBulk(true);
      return moved.on;
    }
    this.streak = 0;
    if (last) {
      this.eof = true;
      this.patience = 0;
      return moved.ended;
    }
    return this.more ? moved.on : moved.waits;
  }

  /** Sends to it. Only from the second time on there is anything that Nagle's algorithm would wait for. */
  take(bytes: Pointer, size: number, flags: number): number {
    if (!this.prompt) {
      if (this.spokenTo) {
        this.prompt = true;
        this.plane.set(this.fd, linux.IPPROTO_TCP, linux.TCP_NODELAY, 1);
      }
      this.spokenTo = true;
    }
    return epoll.send(this.fd, bytes, size, linux.MSG_NOSIGNAL | flags);
  }

  /** A pipe is kept only as long as something is in it, so that idle connections have none. */
  releasePipe(): void {
    if (!this.pipe) return;
    this.plane.pipes.give(this.pipe, this.inPipe === 0);
    this.pipe = null;
    this.inPipe = 0;
  }

  /** Closes the socket, if there is one; as new then, for the next connection. */
  close(byReset: boolean): void {
    if (this.fd >= 0) {
      if (byReset) this.plane.reset(this.fd);
      else this.plane.loop.close(this.fd);
    }
    this.releasePipe();
    this.fd = -1;
    this.eof = false;
    this.ended = false;
    this.told = false;
    this.blocked = false;
    this.more = false;
    this.endIsNear = false;
    this.prompt = false;
    this.spokenTo = false;
    this.patience = patienceAtFirst;
    this.urgent = false;
    this.errno = 0;
    this.held = null;
    this.setBulk(false);
  }

  /** A read stops short at urgent data too, so after any of it no end is concluded from a short read. */
  private note(events: number): void {
    this.more = true;
    if (events & linux.EPOLLPRI) this.urgent = true;
    this.endIsNear = (events & linux.EPOLLRDHUP) !== 0 && (events & linux.EPOLLERR) === 0 && !this.urgent;
  }

  private splice(): Moved {
    this.pipe ??= this.plane.pipes.take();
    if (!this.pipe) {
      this.setBulk(false);
      return moved.on;
    }
    const size = epoll.splice(this.fd, null, this.pipe.in, null, pipeSize, spliceFlags);
    if (size <= 0) return this.notRead(size);
    this.took = size;
    this.inPipe = size;
    this.streak = size < smallSplice ? this.streak + 1 : 0;
    const result = this.flush();
    if (result === moved.on && this.streak >= bulkUntil) this.setBulk(false);
    return result;
  }

  private setBulk(bulk: boolean): void {
    this.bulk = bulk;
    this.streak = 0;
    if (!bulk) this.releasePipe();
  }

  private notRead(size: number): Moved {
    if (size === 0) {
      this.eof = true;
      return moved.ended;
    }
    this.errno = waiting(errno());
    if (this.errno !== 0) return moved.failed;
    this.more = false;
    return moved.waits;
  }

  private notTaken(): Moved {
    this.other.errno = waiting(errno());
    return this.other.errno === 0 ? this.wait() : moved.failed;
  }

  private wait(): Moved {
    this.blocked = true;
    return moved.waits;
  }
}

const spliceFlags = linux.SPLICE_F_MOVE | linux.SPLICE_F_NONBLOCK;

/** 0 for what only means "not now". */
function waiting(number: number): number {
  return number === errorNumber.EAGAIN || number === errorNumber.EINTR ? 0 : number;
}
