// Accepts on one listening socket that other workers, and the control process, have open as well.
import { epoll, errno, errorNumber, linux, nativeMemory } from '../../ffi/index.ts';
import type { Watcher } from './loop.ts';
import type { Plane } from './plane.ts';
import { type PeerAddress, SockaddrReader, sockaddrSize } from './sockaddr.ts';
import type { Timed } from './wheel.ts';

type Arrived = (fd: number, from: PeerAddress) => void;

/** Connections taken at once, before those that are open have their turn. */
const batch = 32;
/** After descriptors have run out: looked at again this often although nobody told of a free one. */
const retryMs = 100;

export class Acceptor implements Watcher, Timed {
  due = 0;
  before: Timed | null = null;
  after: Timed | null = null;
  private readonly fd: number;
  private readonly plane: Plane;
  private readonly arrived: Arrived;
  private readonly peer = nativeMemory(sockaddrSize);
  private readonly reader = new SockaddrReader();
  private readonly size = nativeMemory(4);
  private readonly length = new Int32Array(this.size.bytes.buffer, 0, 1);
  private paused = false;
  private closed = false;

  constructor(fd: number, plane: Plane, arrived: Arrived) {
    this.fd = fd;
    this.plane = plane;
    this.arrived = arrived;
    // What is accepted inherits it.
    plane.set(fd, linux.IPPROTO_TCP, linux.TCP_NODELAY, 1);
    this.watch();
  }

  /** Later in this turn: by then the commands of the control process have been obeyed. */
  ready(): void {
    this.plane.loop.later(this);
  }

  resume(): void {
    if (this.paused || this.closed) return;
    for (let i = 0; i < batch; i++) {
      if (!this.plane.descriptors.hasRoom(this.plane.pipes.count)) {
        this.pause();
        return;
      }
      this.length[0] = sockaddrSize;
      const flags = linux.SOCK_NONBLOCK | linux.SOCK_CLOEXEC;
      const fd = epoll.accept4(this.fd, this.peer.pointer, this.size.pointer, flags);
      if (fd < 0) {
        const number = errno();
        if (number === errorNumber.EAGAIN) return;
        if (outOfRoom.has(number)) {
          this.pause();
          return;
        }
        // ECONNABORTED and the network's own errors concern a connection that is gone (accept(2)).
        continue;
      }
      const from = this.reader.read(this.peer.bytes);
      if (from) this.arrived(fd, from);
      else epoll.close(fd);
    }
  }

  /** A descriptor may be free again. */
  roomAgain(): void {
    if (!this.paused || !this.plane.descriptors.hasRoom(this.plane.pipes.count)) return;
    this.paused = false;
    this.plane.loop.wheel.cancel(this);
    this.plane.spare.restore();
    this.watch();
  }

  expire(now: number): void {
    this.roomAgain();
    if (this.paused) this.plane.loop.wheel.set(this, now + retryMs);
  }

  /** The socket itself stays open: others have it. */
  close(): void {
    this.closed = true;
    this.plane.loop.wheel.cancel(this);
    if (!this.paused) this.plane.loop.unwatch(this.fd);
    epoll.close(this.fd);
    this.peer.free();
    this.size.free();
  }

  private watch(): void {
    // Of all the workers that wait on the socket one is woken, not each (epoll_ctl(2), Linux 4.5).
    this.plane.loop.watch(this.fd, (linux.EPOLLIN | linux.EPOLLEXCLUSIVE) >>> 0, this);
  }

  /** No descriptor is left: whoever comes waits in the kernel's queue, or is taken by another worker. */
  private pause(): void {
    const { loop, pipes } = this.plane;
    pipes.shrink();
    this.paused = true;
    loop.unwatch(this.fd);
    loop.wheel.set(this, loop.now + retryMs);
  }
}

const outOfRoom: ReadonlySet<number> = new Set([
  errorNumber.EMFILE,
  errorNumber.ENFILE,
  errorNumber.ENOBUFS,
  errorNumber.ENOMEM,
]);
