// Calls of the C library that scanning needs beside those of libc.ts and epoll.ts: packets in batches.
import { cLibrary, declare, type Pointer } from './call.ts';

export interface SocketCalls {
  sendmmsg(fd: number, messages: Pointer, count: number, flags: number): number;
  recvmmsg(fd: number, messages: Pointer, count: number, flags: number, timeout: Pointer): number;
}

export const socketCalls: SocketCalls = declare<SocketCalls>(cLibrary, {
  sendmmsg: 'int sendmmsg(int, void *, unsigned int, int)',
  recvmmsg: 'int recvmmsg(int, void *, unsigned int, int, void *)',
});
