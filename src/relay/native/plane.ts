// What every connection of a worker shares: the loop, memory for data that passes through, pipes, descriptors.
import { epoll, linux, nativeMemory } from '../../ffi/index.ts';
import { Descriptors, SpareDescriptor } from './descriptors.ts';
import type { Loop } from './loop.ts';
import { PipePool } from './pipes.ts';
import { SocketQuestions } from './questions.ts';

/** As much is read at once at the most. */
export const chunkSize = 64 * 1024;

export class Plane {
  readonly loop: Loop;
  readonly descriptors = new Descriptors();
  readonly spare = new SpareDescriptor();
  readonly pipes = new PipePool(Math.min(1024, this.descriptors.limit >> 3));
  readonly ask = new SocketQuestions();
  /** One connection reads and writes at a time, so one buffer is enough. */
  readonly buffer = nativeMemory(chunkSize);
  private readonly option = nativeMemory(8);
  private readonly value = new Int32Array(this.option.bytes.buffer, 0, 2);

  constructor(loop: Loop) {
    this.loop = loop;
  }

  /** Pipes that only wait to be used again are given up before anybody is turned away. */
  overloaded(): boolean {
    const { descriptors, pipes } = this;
    if (!descriptors.scarce(pipes.count)) return false;
    pipes.shrink();
    return descriptors.scarce(pipes.count);
  }

  /** Sets an option of a socket to a number. */
  set(fd: number, level: number, option: number, value: number): void {
    this.value[0] = value;
    epoll.setsockopt(fd, level, option, this.option.pointer, 4);
  }

  /** Whether its close is a reset, also the one by the kernel when this process dies. */
  closeByReset(fd: number, on: boolean): void {
    this.value[0] = on ? 1 : 0;
    this.value[1] = 0;
    epoll.setsockopt(fd, linux.SOL_SOCKET, linux.SO_LINGER, this.option.pointer, 8);
  }

  /** Closes by RST, so that nobody mistakes a cut for a proper end. */
  reset(fd: number): void {
    this.closeByReset(fd, true);
    this.loop.close(fd);
  }
}
