// Connect scan over bare calls: non-blocking sockets, used again as long as they are refused, and one epoll.
import { constants } from 'node:os';
import { OsError } from '../../../core/errors.ts';
import { epoll as calls, checked, epollEvent, errno, libc, nativeMemory } from '../../../ffi/index.ts';
import type { PortAnswer, Prober, ScanTarget } from '../../scanner.ts';
import { encodeAddress } from '../bound.ts';
import { addressIn, ownEnd, portIn } from './own-end.ts';
import { createWake } from './wake.ts';

const SOCK_STREAM = 1;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_LINGER = 13;
const EPOLL_CLOEXEC = 0o2000000;
const EPOLL_CTL_ADD = 1;
const EPOLLOUT = 0x4;
const EPOLLET = 0x8000_0000;

/** struct linger { 1, 0 }: close with a reset, which leaves no TIME_WAIT behind. */
const lingerNone = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0);
const eventsAtOnce = 256;
/** Source ports that clash with a connection which is still remembered are changed this often before giving up. */
const maxSources = 4;

const { errno: code } = constants;
const underWay = new Set([code.EINPROGRESS, code.EALREADY]);
const refused = new Set([code.ECONNREFUSED, code.ECONNRESET, code.ECONNABORTED]);
const sourceTaken = new Set([code.EADDRNOTAVAIL, code.EADDRINUSE]);
const exhausted = new Set([
  code.EMFILE,
  code.ENFILE,
  code.ENOBUFS,
  code.ENOMEM,
  code.EADDRINUSE,
  code.EADDRNOTAVAIL,
  code.EAGAIN,
]);

export function createConnectProber({ address, local }: ScanTarget): Prober {
  const { sockaddr } = encodeAddress(address, 0);
  const target = nativeMemory(sockaddr.length);
  target.bytes.set(sockaddr);
  const events = nativeMemory(eventsAtOnce * epollEvent.size);
  const eventView = new DataView(events.bytes.buffer, events.bytes.byteOffset, events.bytes.length);
  const epoll = checked('epoll_create1', calls.epoll_create1(EPOLL_CLOEXEC));
  const wake = createWake(epoll);
  const domain = new DataView(sockaddr.buffer).getUint16(0, true);

  /** Of each open socket: the source port that it is bound to, 0 where the kernel chooses. */
  const sources = new Map<number, number>();
  const heldPorts = new Set<number>();
  const watched = new Set<number>();
  const idle: number[] = [];
  const portOf = new Map<number, number>();
  const fdOf = new Map<number, number>();

  /** @throws OsError */
  function openSocket(): number {
    const fd = checked('socket', libc.socket(domain, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    sources.set(fd, 0);
    if (!local) return fd;
    try {
      // Bound to the scanned address itself. Whoever holds a port this way knows that nobody listens on it there.
      checked('bind', libc.bind(fd, sockaddr, sockaddr.length));
    } catch (error) {
      closeSocket(fd);
      throw error;
    }
    const source = portIn(ownEnd(fd, sockaddr.length));
    sources.set(fd, source);
    heldPorts.add(source);
    return fd;
  }

  function closeSocket(fd: number): void {
    libc.close(fd);
    heldPorts.delete(sources.get(fd)!);
    sources.delete(fd);
    watched.delete(fd);
  }

  /** A connection with itself: both ends are one (simultaneous open, RFC 9293 §3.5). */
  function isSelf(fd: number, port: number): boolean {
    const own = ownEnd(fd, sockaddr.length);
    const there = addressIn(sockaddr);
    return portIn(own) === port && addressIn(own).every((byte, i) => byte === there[i]);
  }

  /** 0 for connected, else errno. Called again on the same socket, connect tells how the first call went. */
  function tryConnect(fd: number, port: number): number {
    target.bytes[2] = port >> 8;
    target.bytes[3] = port & 255;
    return libc.connect(fd, target.pointer, sockaddr.length) === 0 ? 0 : errno();
  }

  function conclude(fd: number, port: number, outcome: number): PortAnswer {
    if (refused.has(outcome)) {
      // The kernel has already disconnected it, keeping its own port: ready for the next one.
      idle.push(fd);
      return 'closed';
    }
    const isOpen = outcome === 0 || outcome === code.EISCONN;
    const answer = !isOpen ? 'filtered' : isSelf(fd, port) ? 'closed' : 'open';
    if (isOpen) libc.setsockopt(fd, SOL_SOCKET, SO_LINGER, lingerNone, lingerNone.length);
    closeSocket(fd);
    return answer;
  }

  function watch(fd: number): void {
    if (watched.has(fd)) return;
    const event = new Uint8Array(epollEvent.size);
    const view = new DataView(event.buffer);
    view.setUint32(0, EPOLLOUT + EPOLLET, true);
    view.setInt32(epollEvent.dataAt, fd, true);
    checked('epoll_ctl', calls.epoll_ctl(epoll, EPOLL_CTL_ADD, fd, event));
    watched.add(fd);
  }

  function ask(port: number): PortAnswer | 'asked' | 'full' {
    if (heldPorts.has(port)) return 'closed';
    for (let attempt = 0; attempt < maxSources; attempt++) {
      let fd: number;
      try {
        fd = idle.pop() ?? openSocket();
      } catch (error) {
        if (error instanceof OsError && exhausted.has(error.errno)) return 'full';
        throw error;
      }
      if (heldPorts.has(port)) {
        // The socket that was opened just now got this very port: nobody else can have it.
        idle.push(fd);
        return 'closed';
      }
      let outcome = tryConnect(fd, port);
      // On this machine the answer is there before the first call returns; the second one fetches it.
      if (local && outcome === code.EINPROGRESS) outcome = tryConnect(fd, port);
      if (underWay.has(outcome)) {
        watch(fd);
        portOf.set(fd, port);
        fdOf.set(port, fd);
        return 'asked';
      }
      if (!sourceTaken.has(outcome)) return conclude(fd, port, outcome);
      closeSocket(fd);
    }
    return 'full';
  }

  return {
    ask,
    collect(heard) {
      if (portOf.size === 0) return;
      let count: number;
      do {
        count = calls.epoll_wait(epoll, events.pointer, eventsAtOnce, 0);
        for (let i = 0; i < count; i++) {
          const fd = eventView.getInt32(i * epollEvent.size + epollEvent.dataAt, true);
          const port = portOf.get(fd);
          if (port === undefined) continue;
          const outcome = tryConnect(fd, port);
          if (underWay.has(outcome)) continue;
          portOf.delete(fd);
          fdOf.delete(port);
          heard(port, conclude(fd, port, outcome));
        }
      } while (count === eventsAtOnce);
    },
    forget(port) {
      const fd = fdOf.get(port);
      if (fd === undefined) return;
      fdOf.delete(port);
      portOf.delete(fd);
      closeSocket(fd);
    },
    wait: wake.wait,
    close() {
      wake.close();
      for (const fd of [...sources.keys()]) closeSocket(fd);
      libc.close(epoll);
      target.free();
      events.free();
    },
  };
}
