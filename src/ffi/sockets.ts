// Calls of the C library that scanning needs beside those of libc.ts: readiness of many sockets, packets in batches.
import { declare, type Pointer } from './call.ts';

export interface SocketCalls {
  epoll_create1(flags: number): number;
  epoll_ctl(epoll: number, operation: number, fd: number, event: Pointer): number;
  epoll_wait(epoll: number, events: Pointer, count: number, timeoutMs: number): number;
  sendmmsg(fd: number, messages: Pointer, count: number, flags: number): number;
  recvmmsg(fd: number, messages: Pointer, count: number, flags: number, timeout: Pointer): number;
}

export const socketCalls: SocketCalls = declare<SocketCalls>(
  [null, 'libc.so.6', 'libc.musl-x86_64.so.1', 'libc.musl-aarch64.so.1'],
  {
    epoll_create1: 'int epoll_create1(int)',
    epoll_ctl: 'int epoll_ctl(int, int, int, const void *)',
    epoll_wait: 'int epoll_wait(int, void *, int, int)',
    sendmmsg: 'int sendmmsg(int, void *, unsigned int, int)',
    recvmmsg: 'int recvmmsg(int, void *, unsigned int, int, void *)',
  },
);

/** struct epoll_event is packed on x86-64 alone (epoll.h: EPOLL_PACKED). */
export const epollEvent =
  process.arch === 'x64' ? ({ size: 12, dataAt: 4 } as const) : ({ size: 16, dataAt: 8 } as const);
