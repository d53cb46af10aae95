// A worker's way to hand records to the control process: a socket of their own, never waited for.
import { epoll, errno, errorNumber, linux } from '../../ffi/index.ts';
import type { Loop, Watcher } from './loop.ts';

/** What waits here is bounded by those who send: none sends more than it has room for at the other end. */
export class Outbox implements Watcher {
  private readonly loop: Loop;
  private readonly fd: number;
  private waiting: Buffer[] = [];

  constructor(loop: Loop, fd: number) {
    this.loop = loop;
    this.fd = fd;
    loop.watch(fd, (linux.EPOLLOUT | linux.EPOLLET) >>> 0, this);
  }

  send(packed: Buffer): void {
    this.waiting.push(packed);
    if (this.waiting.length === 1) this.ready();
  }

  ready(): void {
    let done = 0;
    for (; done < this.waiting.length; done++) {
      const bytes = this.waiting[done]!;
      const sent = epoll.send(this.fd, bytes, bytes.length, linux.MSG_DONTWAIT | linux.MSG_NOSIGNAL);
      if (sent < bytes.length) {
        // Without the other end there is nobody to work for.
        if (sent < 0 && errno() !== errorNumber.EAGAIN) this.loop.stop();
        if (sent > 0) this.waiting[done] = bytes.subarray(sent);
        break;
      }
    }
    this.waiting = done === this.waiting.length ? [] : this.waiting.slice(done);
  }

  resume(): void {}
}
