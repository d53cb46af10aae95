// What is asked of the kernel about a socket: what became of it, and whether it leads to itself.
import { readFileSync } from 'node:fs';
import { epoll, errno, linux, nativeMemory } from '../../ffi/index.ts';
import type { Place } from './place.ts';
import { sockaddrSize } from './sockaddr.ts';

/** With memory of their own for the answers. */
export class SocketQuestions {
  private readonly size = nativeMemory(4);
  private readonly answer = nativeMemory(sockaddrSize);
  private readonly length = new Int32Array(this.size.bytes.buffer, 0, 1);
  private readonly number = new Int32Array(this.answer.bytes.buffer, 0, 1);
  private readonly ephemeral = ephemeralRange();

  /** errno of what became of it; 0 where nothing is wrong. */
  error(fd: number): number {
    this.length[0] = 4;
    const { SOL_SOCKET, SO_ERROR } = linux;
    if (epoll.getsockopt(fd, SOL_SOCKET, SO_ERROR, this.answer.pointer, this.size.pointer) < 0)
      return errno();
    return this.number[0]!;
  }

  /**
   * A loopback port that nobody listens on may be connected to itself (simultaneous open): the kernel chose the very
   * port as the source. That can only happen to a port that it chooses from.
   */
  isSelfConnect(fd: number, { port, sockaddr }: Place): boolean {
    if (port < this.ephemeral.from || port > this.ephemeral.to) return false;
    this.length[0] = sockaddrSize;
    if (epoll.getsockname(fd, this.answer.pointer, this.size.pointer) < 0) return false;
    const own = this.answer.bytes;
    if (((own[2]! << 8) | own[3]!) !== port) return false;
    const from = sockaddr!.length === 16 ? 4 : 8;
    const to = sockaddr!.length === 16 ? 8 : 24;
    for (let at = from; at < to; at++) if (own[at] !== sockaddr![at]) return false;
    return true;
  }
}

/** Where the kernel takes source ports from (ip(7), ip_local_port_range); all where it does not say. */
function ephemeralRange(): { from: number; to: number } {
  try {
    const [from, to] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').trim().split(/\s+/);
    return { from: Number(from), to: Number(to) };
  } catch {
    return { from: 1, to: 65_535 };
  }
}
