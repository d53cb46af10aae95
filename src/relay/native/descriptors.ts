// How many descriptors a worker may open, and one kept in reserve for the moment when there are none.
import { readFileSync } from 'node:fs';
import { epoll, linux } from '../../ffi/index.ts';

/** For what Node itself has open, the listening sockets, and some air. */
const reserved = 64;

/** Newcomers are refused beyond it, as in the portable engine, rather than left waiting with no end in sight. */
const mark = 0.9;

export class Descriptors {
  /** From RLIMIT_NOFILE, which Node raises to the hard limit when it starts. */
  readonly limit = Math.max(16, openFiles() - reserved);
  /** Connections that are open; each has two. */
  connections = 0;

  /** Whether so few are left that one more connection is one too many. */
  scarce(pipes: number): boolean {
    return 2 * (this.connections + 1 + pipes) > mark * this.limit;
  }

  /** Whether one more connection can be carried to its target as well. */
  hasRoom(pipes: number): boolean {
    return 2 * (this.connections + 1 + pipes) <= this.limit;
  }
}

function openFiles(): number {
  try {
    const line = /^Max open files\s+(\d+|unlimited)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
    return line?.[1] === 'unlimited' ? 1 << 20 : Number(line?.[1] ?? 1024);
  } catch {
    return 1024;
  }
}

/** Given up when the system has no descriptor for the second half of a connection whose first half is open. */
export class SpareDescriptor {
  private fd = take();

  /** False where it is gone already. */
  release(): boolean {
    if (this.fd < 0) return false;
    epoll.close(this.fd);
    this.fd = -1;
    return true;
  }

  /** Called when descriptors have become free. */
  restore(): void {
    if (this.fd < 0) this.fd = take();
  }
}

function take(): number {
  return epoll.epoll_create1(linux.SOCK_CLOEXEC);
}
