// Hands open descriptors from one process to another over a socket of their own (unix(7), SCM_RIGHTS).
import { checked, epoll, linux, nativeMemory } from '../../ffi/index.ts';

/** Both ends; the second is for another process, and must be closed here once that has it. */
export function handingPair(): [number, number] {
  const ends = nativeMemory(8);
  const type = linux.SOCK_SEQPACKET | linux.SOCK_NONBLOCK | linux.SOCK_CLOEXEC;
  checked('socketpair', epoll.socketpair(linux.AF_UNIX, type, 0, ends.pointer));
  const [ours, theirs] = new Int32Array(ends.bytes.buffer.slice(0, 8));
  ends.free();
  return [ours!, theirs!];
}

/**
 * struct msghdr with one byte-carrying iovec and room for one descriptor, as 64-bit Linux lays them out:
 * msghdr 56 bytes, iovec 16 at 56, cmsghdr 16 and the descriptor at 72, one byte of text at 96.
 */
export class Handing {
  private readonly fd: number;
  private readonly memory = nativeMemory(104);
  private readonly view = new DataView(this.memory.bytes.buffer, this.memory.bytes.byteOffset, 104);

  constructor(fd: number) {
    this.fd = fd;
    const at = this.memory.pointer;
    this.view.setBigUint64(16, at + 56n, true);
    this.view.setBigUint64(24, 1n, true);
    this.view.setBigUint64(32, at + 72n, true);
    this.view.setBigUint64(56, at + 96n, true);
    this.view.setBigUint64(64, 1n, true);
  }

  /** False where the other end does not take it: its queue is full, or it is gone. */
  send(descriptor: number): boolean {
    this.view.setBigUint64(40, 24n, true);
    this.view.setBigUint64(72, 20n, true);
    this.view.setInt32(80, linux.SOL_SOCKET, true);
    this.view.setInt32(84, linux.SCM_RIGHTS, true);
    this.view.setInt32(88, descriptor, true);
    return epoll.sendmsg(this.fd, this.memory.pointer, linux.MSG_DONTWAIT | linux.MSG_NOSIGNAL) >= 0;
  }

  /** The next one in the order of sending; null where none has been sent, or there is no room for it here. */
  receive(): number | null {
    this.view.setBigUint64(40, 24n, true);
    this.view.setBigUint64(72, 0n, true);
    const flags = linux.MSG_DONTWAIT | linux.MSG_CMSG_CLOEXEC;
    if (epoll.recvmsg(this.fd, this.memory.pointer, flags) < 0) return null;
    const arrived =
      this.view.getBigUint64(72, true) === 20n && this.view.getInt32(84, true) === linux.SCM_RIGHTS;
    return arrived ? this.view.getInt32(88, true) : null;
  }

  close(): void {
    epoll.close(this.fd);
    this.memory.free();
  }
}
