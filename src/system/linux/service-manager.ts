// systemd, as far as it started this process: sd_notify(3), sd_watchdog_enabled(3) and sd_listen_fds(3) without libsystemd.
import { checked, epoll, libc, linux } from '../../ffi/index.ts';
import type { InheritedSocket, ServiceManager } from '../service-manager.ts';
import { decodeAddress } from './bound.ts';

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOL_SOCKET = 1;
const SO_TYPE = 3;
const SO_ACCEPTCONN = 30;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const F_SETFD = 2;
const FD_CLOEXEC = 1;
const firstInherited = 3;
const mostInherited = 1024;
/** Milliseconds until what systemd had no room for is sent again, and how much may wait. */
const retryAfter = 50;
const mostWaiting = 64;
/** Longer than the daemon waits between two of them. */
const startExtension = 60_000;

/** Null where nobody listens for it. */
export function systemd(env: NodeJS.ProcessEnv): ServiceManager | null {
  const address = env.NOTIFY_SOCKET;
  // Of the address families that it may be, Linux's own: a path, or an abstract name.
  if (!address || !/^[/@]./.test(address)) return null;
  const send = sender(address);
  const told = (...lines: string[]) => send(lines.map((line) => line.replaceAll('\n', ' ')).join('\n'));
  return {
    watchdog: watchdogOf(env),
    starting: () => told(`EXTEND_TIMEOUT_USEC=${startExtension * 1000}`),
    ready: (words) => told('READY=1', `STATUS=${words}`),
    // Node's hrtime is CLOCK_MONOTONIC on Linux, which systemd compares with its own.
    reloading: () =>
      told('RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`, 'STATUS=reloading'),
    stopping: (words) => told('STOPPING=1', `STATUS=${words}`),
    alive: () => told('WATCHDOG=1'),
    mainProcess: (pid) => told(`MAINPID=${pid}`),
    // Its way to ask is signals.
    asks() {},
  };
}

function watchdogOf({ WATCHDOG_USEC: within, WATCHDOG_PID: pid }: NodeJS.ProcessEnv): number | null {
  if (within === undefined || !/^[1-9]\d{0,15}$/.test(within)) return null;
  return pid === undefined || Number(pid) === process.pid ? Number(within) / 1000 : null;
}

/** In order, never waiting: what there is no room for is kept for a while. */
function sender(address: string): (message: string) => void {
  const path = Buffer.from(address);
  if (address.startsWith('@')) path[0] = 0;
  // A path ends with a NUL; an abstract name is exactly as long as it says (unix(7)).
  const sockaddr = Buffer.concat([
    Buffer.from([AF_UNIX, 0]),
    path,
    Buffer.alloc(address.startsWith('@') ? 0 : 1),
  ]);
  const waiting: Buffer[] = [];
  let timer: NodeJS.Timeout | null = null;
  const flush = () => {
    timer = null;
    while (waiting.length > 0) {
      if (sendOne(sockaddr, waiting[0]!) === 'full') {
        timer = setTimeout(flush, retryAfter).unref();
        return;
      }
      waiting.shift();
    }
  };
  return (message) => {
    if (waiting.length >= mostWaiting) return;
    waiting.push(Buffer.from(message));
    if (!timer) flush();
  };
}

/** A socket for each message: systemd opens its own anew when it executes itself again. */
function sendOne(sockaddr: Buffer, message: Buffer): 'done' | 'full' {
  let fd = -1;
  try {
    fd = checked('socket', libc.socket(AF_UNIX, SOCK_DGRAM | linux.SOCK_CLOEXEC, 0));
    checked('connect', libc.connect(fd, sockaddr, sockaddr.length));
    checked('send', libc.send(fd, message, message.length, MSG_DONTWAIT | MSG_NOSIGNAL));
    return 'done';
  } catch (error) {
    // What cannot be told is no reason to fail: whoever wanted to hear it is gone.
    return ['EAGAIN', 'ENOBUFS'].includes((error as NodeJS.ErrnoException).code ?? '') ? 'full' : 'done';
  } finally {
    if (fd >= 0) libc.close(fd);
  }
}

/** Listening TCP sockets that this very process was started with. No child of it inherits them by itself. */
export function socketsOf(env: NodeJS.ProcessEnv): InheritedSocket[] {
  const { LISTEN_PID: pid, LISTEN_FDS: count, LISTEN_FDNAMES: names = '' } = env;
  if (Number(pid) !== process.pid || count === undefined || !/^\d{1,4}$/.test(count)) return [];
  const words = names.split(':');
  const found: InheritedSocket[] = [];
  for (let i = 0; i < Math.min(Number(count), mostInherited); i++) {
    const fd = firstInherited + i;
    if (epoll.fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) continue;
    if (optionOf(fd, SO_TYPE) !== SOCK_STREAM || optionOf(fd, SO_ACCEPTCONN) !== 1) continue;
    const bound = nameOf(fd);
    if (bound) found.push({ fd, name: words[i] || 'unknown', ...bound });
  }
  return found;
}

function optionOf(fd: number, option: number): number | null {
  const value = new Uint8Array(4);
  const size = new Uint8Array([4, 0, 0, 0]);
  if (epoll.getsockopt(fd, SOL_SOCKET, option, value, size) < 0) return null;
  return new DataView(value.buffer).getInt32(0, true);
}

function nameOf(fd: number): { address: string; port: number } | null {
  const sockaddr = new Uint8Array(128);
  const size = new Uint8Array([128, 0, 0, 0]);
  return libc.getsockname(fd, sockaddr, size) < 0 ? null : decodeAddress(sockaddr);
}
