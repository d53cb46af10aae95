// Pipes that carry bulk data from socket to socket inside the kernel; kept for reuse, because making one costs.
import { epoll, linux, nativeMemory } from '../../ffi/index.ts';

export interface Pipe {
  in: number;
  out: number;
}

/** What a pipe is asked to hold. Larger is not faster, and what waits for a peer that does not read is kernel memory. */
export const pipeSize = 256 * 1024;
const maxIdle = 64;

export class PipePool {
  private readonly idle: Pipe[] = [];
  private readonly ends = nativeMemory(8);
  private readonly numbers = new Int32Array(this.ends.bytes.buffer, 0, 2);
  private readonly most: number;
  private open = 0;

  /** `most`: how many there may be at once. */
  constructor(most: number) {
    this.most = most;
  }

  /** Null where there are none left, by this bound or the system's: data then goes through memory. */
  take(): Pipe | null {
    const idle = this.idle.pop();
    if (idle) return idle;
    if (this.open >= this.most) return null;
    if (epoll.pipe2(this.ends.pointer, linux.SOCK_NONBLOCK | linux.SOCK_CLOEXEC) < 0) return null;
    this.open += 1;
    const pipe = { out: this.numbers[0]!, in: this.numbers[1]! };
    // Refused beyond fs.pipe-user-pages-soft (pipe(7)): it then holds what the system gives, 64 KiB or a page.
    epoll.fcntl(pipe.in, linux.F_SETPIPE_SZ, pipeSize);
    return pipe;
  }

  /** Only an empty pipe may be used again. */
  give(pipe: Pipe, empty: boolean): void {
    if (empty && this.idle.length < maxIdle) this.idle.push(pipe);
    else this.destroy(pipe);
  }

  /** Lets go of descriptors that are needed elsewhere. */
  shrink(): void {
    for (const pipe of this.idle.splice(0)) this.destroy(pipe);
  }

  /** Open pipes, idle ones among them. */
  get count(): number {
    return this.open;
  }

  private destroy(pipe: Pipe): void {
    epoll.close(pipe.in);
    epoll.close(pipe.out);
    this.open -= 1;
  }
}
