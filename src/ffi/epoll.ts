// The C library's calls of the relay's workers on Linux: an event loop, sockets, pipes. Results are raw.
import { cLibrary, declare, type Pointer } from './call.ts';

export interface Epoll {
  epoll_create1(flags: number): number;
  epoll_ctl(epoll: number, operation: number, fd: number, event: Pointer): number;
  epoll_wait(epoll: number, events: Pointer, count: number, timeoutMs: number): number;

  socket(family: number, type: number, protocol: number): number;
  accept4(fd: number, address: Pointer, size: Pointer, flags: number): number;
  connect(fd: number, address: Pointer, size: number): number;
  getsockname(fd: number, address: Pointer, size: Pointer): number;
  getpeername(fd: number, address: Pointer, size: Pointer): number;
  getsockopt(fd: number, level: number, option: number, value: Pointer, size: Pointer): number;
  setsockopt(fd: number, level: number, option: number, value: Pointer, size: number): number;
  recv(fd: number, buffer: Pointer, size: number, flags: number): number;
  send(fd: number, buffer: Pointer, size: number, flags: number): number;
  shutdown(fd: number, how: number): number;
  close(fd: number): number;

  splice(from: number, fromOffset: null, to: number, toOffset: null, size: number, flags: number): number;
  pipe2(ends: Pointer, flags: number): number;
  fcntl(fd: number, command: number, argument: number): number;

  socketpair(family: number, type: number, protocol: number, ends: Pointer): number;
  sendmsg(fd: number, message: Pointer, flags: number): number;
  recvmsg(fd: number, message: Pointer, flags: number): number;
  memfd_create(name: string, flags: number): number;
  ftruncate(fd: number, size: number): number;
  mmap(at: null, size: number, access: number, flags: number, fd: number, offset: number): bigint;
  munmap(at: bigint, size: number): number;
  signal(number: number, handler: number): bigint;
  setpgid(pid: number, group: number): number;
}

export const epoll: Epoll = declare<Epoll>(cLibrary, {
  epoll_create1: 'int epoll_create1(int)',
  epoll_ctl: 'int epoll_ctl(int, int, int, void *)',
  epoll_wait: 'int epoll_wait(int, void *, int, int)',

  socket: 'int socket(int, int, int)',
  accept4: 'int accept4(int, void *, void *, int)',
  connect: 'int connect(int, const void *, uint32_t)',
  getsockname: 'int getsockname(int, void *, void *)',
  getpeername: 'int getpeername(int, void *, void *)',
  getsockopt: 'int getsockopt(int, int, int, void *, void *)',
  setsockopt: 'int setsockopt(int, int, int, const void *, uint32_t)',
  recv: 'long recv(int, void *, size_t, int)',
  send: 'long send(int, const void *, size_t, int)',
  shutdown: 'int shutdown(int, int)',
  close: 'int close(int)',

  splice: 'long splice(int, void *, int, void *, size_t, unsigned int)',
  pipe2: 'int pipe2(void *, int)',
  fcntl: 'int fcntl(int, int, long)',

  socketpair: 'int socketpair(int, int, int, void *)',
  sendmsg: 'long sendmsg(int, const void *, int)',
  recvmsg: 'long recvmsg(int, void *, int)',
  memfd_create: 'int memfd_create(const char *, unsigned int)',
  ftruncate: 'int ftruncate(int, long)',
  mmap: 'uint64_t mmap(void *, size_t, int, int, int, long)',
  munmap: 'int munmap(uint64_t, size_t)',
  signal: 'uint64_t signal(int, intptr_t)',
  setpgid: 'int setpgid(int, int)',
});

/** From Linux's uapi headers; the same on x86-64 and arm64. */
export const linux = {
  AF_UNIX: 1,
  AF_INET: 2,
  AF_INET6: 10,
  SOCK_STREAM: 1,
  SOCK_SEQPACKET: 5,
  SOCK_NONBLOCK: 0o4000,
  SOCK_CLOEXEC: 0o2000000,
  SOL_SOCKET: 1,
  SO_ERROR: 4,
  SO_LINGER: 13,
  SCM_RIGHTS: 1,
  IPPROTO_TCP: 6,
  TCP_NODELAY: 1,
  MSG_DONTWAIT: 0x40,
  MSG_NOSIGNAL: 0x4000,
  MSG_MORE: 0x8000,
  MSG_CMSG_CLOEXEC: 0x40000000,
  SHUT_RD: 0,
  SHUT_WR: 1,
  F_SETFL: 4,
  F_DUPFD_CLOEXEC: 1030,
  F_SETPIPE_SZ: 1031,
  SPLICE_F_MOVE: 1,
  SPLICE_F_NONBLOCK: 2,
  EPOLL_CTL_ADD: 1,
  EPOLL_CTL_DEL: 2,
  EPOLLIN: 0x1,
  EPOLLPRI: 0x2,
  EPOLLOUT: 0x4,
  EPOLLERR: 0x8,
  EPOLLHUP: 0x10,
  EPOLLRDHUP: 0x2000,
  EPOLLEXCLUSIVE: 0x10000000,
  EPOLLET: 0x80000000,
  MFD_CLOEXEC: 1,
  PROT_READ_WRITE: 3,
  MAP_SHARED: 1,
  SIG_IGN: 1,
} as const;

/** errno values that the data plane decides by. */
export const errorNumber = {
  EINTR: 4,
  EAGAIN: 11,
  ENFILE: 23,
  EMFILE: 24,
  ENOMEM: 12,
  ENOBUFS: 105,
  EINPROGRESS: 115,
} as const;

/** Bytes of struct epoll_event, which is packed on x86-64 alone (linux/eventpoll.h: EPOLL_PACKED). */
export const epollEvent =
  process.arch === 'x64' ? ({ size: 12, dataAt: 4 } as const) : ({ size: 16, dataAt: 8 } as const);
