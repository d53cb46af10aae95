// One connection in a worker whose data goes to a sink: read, cut into frames, and closed once the sink has all of it.
import { formatHostPort } from '../../core/endpoint.ts';
import { epoll, errno, errnoName, errorNumber, linux } from '../../ffi/index.ts';
import { createTextFramer, type Frame, type FrameKind, type Framer } from '../../listen/index.ts';
import { connectionId } from '../connection-id.ts';
import { reasonOf } from '../ending.ts';
import type { EndReason } from '../engine.ts';
import type { Watcher } from './loop.ts';
import { chunkSize, type Plane } from './plane.ts';
import { Visit } from './visit.ts';
import type { Timed } from './wheel.ts';

/** So many pieces of one connection before it is the next one's turn. */
const piecesPerTurn = 4;
const unusual = linux.EPOLLRDHUP | linux.EPOLLHUP | linux.EPOLLERR | linux.EPOLLPRI;
const watched = (linux.EPOLLIN | linux.EPOLLPRI | linux.EPOLLRDHUP | linux.EPOLLET) >>> 0;

/** The listener that a connection belongs to. */
export interface IntakeHome {
  readonly plane: Plane;
  readonly frame: FrameKind;
  readonly frameLimit: number;
  readonly firstBytesMs: number | null;
  readonly idleMs: number;
  /** The sink has enough for now. */
  readonly full: boolean;
  received(bytes: number): void;
  /** @returns the number of the batch that has the record. */
  record(from: IntakeConnection, sequence: number, data: Frame): number;
  /** Whether the sink has not taken it yet. */
  isUnderWay(batch: number): boolean;
  /** Calls back (`settle`) when more has been taken. */
  owe(connection: IntakeConnection): void;
  /** Called back (`resume`) once the sink takes more. */
  wait(connection: IntakeConnection): void;
  left(connection: IntakeConnection): void;
}

/** `owed`: it has ended, and waits for what it said to be taken. */
type Phase = 'open' | 'waiting' | 'owed' | 'over';

export class IntakeConnection extends Visit implements Watcher, Timed {
  due = 0;
  before: Timed | null = null;
  after: Timed | null = null;
  readonly id = connectionId();
  readonly client: string;
  /** The last batch that has something of it. */
  batch = 0;
  private readonly home: IntakeHome;
  private readonly fd: number;
  private readonly framer: Framer<Frame>;
  private phase: Phase = 'open';
  private sequence = 0;
  private movedAt: number;
  /** The kernel has more to tell than a short read says: an end, an error, urgent data. */
  private more = false;
  private endIsNear = false;
  private urgent = false;
  private postponed = false;

  constructor(fd: number, address: string, port: number, home: IntakeHome) {
    super();
    this.fd = fd;
    this.address = address;
    this.port = port;
    this.client = formatHostPort(address, port);
    this.home = home;
    this.framer = createTextFramer(home.frame, home.frameLimit);
    const { loop } = home.plane;
    // A proper end tells the client that all it said was taken: the death of this worker must not look like one.
    home.plane.closeByReset(fd, true);
    this.startedAt = loop.now;
    this.movedAt = loop.now;
    loop.watch(fd, watched, this);
    loop.wheel.set(this, this.quietUntil);
  }

  ready(events: number): void {
    if (events & unusual) {
      this.more = true;
      if (events & linux.EPOLLPRI) this.urgent = true;
      // A read stops short at urgent data too, so after any of it no end is concluded from a short read.
      this.endIsNear = (events & linux.EPOLLRDHUP) !== 0 && (events & linux.EPOLLERR) === 0 && !this.urgent;
    }
    if (this.phase === 'open') this.read();
    else if (this.phase === 'owed' && events & linux.EPOLLERR) this.end('client-reset', true);
  }

  /** Goes on after others had their turn, or after the sink had enough. */
  resume(): void {
    this.postponed = false;
    if (this.phase === 'waiting') this.phase = 'open';
    if (this.phase === 'open') this.read();
  }

  /** What it waited for may have been taken. */
  settle(): void {
    if (this.phase !== 'owed') return;
    if (this.home.isUnderWay(this.batch)) this.home.owe(this);
    else this.end('done', false);
  }

  stop(reason: EndReason, detail: string | null = null): void {
    this.detail ??= detail;
    this.end(reason, true);
  }

  /** One that waits for the sink is not idle: what it sent would be lost. */
  expire(now: number): void {
    const { firstBytesMs, idleMs, plane } = this.home;
    if (this.phase === 'waiting' || this.home.isUnderWay(this.batch)) this.movedAt = now;
    if (now >= this.movedAt + idleMs) this.stop('idle');
    else if (firstBytesMs !== null && this.received === 0 && now >= this.startedAt + firstBytesMs)
      this.stop('silent');
    else plane.loop.wheel.set(this, this.quietUntil);
  }

  /** The times that it is given have changed. */
  retime(): void {
    this.home.plane.loop.wheel.set(this, this.quietUntil);
  }

  private get quietUntil(): number {
    const { firstBytesMs, idleMs } = this.home;
    const idle = this.movedAt + idleMs;
    return firstBytesMs === null || this.received > 0 ? idle : Math.min(idle, this.startedAt + firstBytesMs);
  }

  private read(): void {
    const { home } = this;
    const { buffer, loop } = home.plane;
    for (let pieces = 0; pieces < piecesPerTurn; pieces++) {
      if (home.full) {
        this.phase = 'waiting';
        home.wait(this);
        return;
      }
      const size = epoll.recv(this.fd, buffer.pointer, chunkSize, 0);
      if (size === 0) {
        this.ended();
        return;
      }
      if (size < 0) {
        this.notRead(errno());
        return;
      }
      this.received += size;
      this.movedAt = loop.now;
      home.received(size);
      this.hand(this.framer.push(Buffer.from(buffer.bytes.buffer, buffer.bytes.byteOffset, size)));
      if (this.framer.failure) {
        this.stop(this.framer.failure);
        return;
      }
      if (size < chunkSize) {
        // That was all; where the kernel has told of the end already, nothing comes after it (tcp_fin).
        if (this.endIsNear) this.ended();
        if (this.endIsNear || !this.more) return;
      }
    }
    if (!this.postponed) loop.later(this);
    this.postponed = true;
  }

  private hand(frames: Frame[]): void {
    for (const frame of frames) {
      this.sequence += 1;
      this.batch = this.home.record(this, this.sequence, frame);
    }
  }

  private ended(): void {
    this.home.received(0);
    this.hand(this.framer.end());
    if (this.framer.failure) {
      this.stop(this.framer.failure);
      return;
    }
    this.phase = 'owed';
    this.settle();
  }

  private notRead(number: number): void {
    if (number === errorNumber.EAGAIN || number === errorNumber.EINTR) {
      this.more = false;
      return;
    }
    const code = errnoName(number);
    this.stop(reasonOf(code, 'client'), `read ${code}`);
  }

  private end(reason: EndReason, byReset: boolean): void {
    if (this.phase === 'over') return;
    this.phase = 'over';
    this.ending = reason;
    const { plane } = this.home;
    plane.loop.wheel.cancel(this);
    if (!byReset) plane.closeByReset(this.fd, false);
    plane.loop.close(this.fd);
    this.home.left(this);
  }
}
