// The C library's calls that Portreeve makes on Linux. Results are raw: wrap them in checked().
import { checked, cLibrary, declare, errno, errnoName, type Pointer } from './call.ts';

export interface Libc {
  open(path: string, flags: number): number;
  openat(directory: number, path: string | Pointer, flags: number): number;
  close(fd: number): number;
  readlinkat(directory: number, path: string | Pointer, buffer: Pointer, size: number): number;

  socket(family: number, type: number, protocol: number): number;
  bind(fd: number, address: Pointer, size: number): number;
  listen(fd: number, backlog: number): number;
  connect(fd: number, address: Pointer, size: number): number;
  getsockname(fd: number, address: Pointer, size: Pointer): number;
  setsockopt(fd: number, level: number, option: number, value: Pointer, size: number): number;
  send(fd: number, buffer: Pointer, size: number, flags: number): number;
  recv(fd: number, buffer: Pointer, size: number, flags: number): number;

  if_nametoindex(name: string): number;
  setns(fd: number, kind: number): number;
  sysconf(name: number): number;
  prctl(option: number, a: number, b: number, c: number, d: number): number;
  waitpid(pid: number, status: Pointer, options: number): number;
  abort(): void;
  getpwuid_r(uid: number, entry: Pointer, buffer: Pointer, size: number, result: Pointer): number;

  /** For calls that older C libraries have no wrapper of. */
  syscall(number: number, a: number, b: Pointer, c: number): number;
  syscall4(number: number, a: number, b: number, c: Pointer, d: number): number;
}

/** Declared in the form that their use here needs. */
export const libc: Libc = declare<Libc>(cLibrary, {
  open: 'int open(const char *, int)',
  openat: 'int openat(int, const void *, int)',
  close: 'int close(int)',
  readlinkat: 'long readlinkat(int, const void *, void *, size_t)',

  socket: 'int socket(int, int, int)',
  bind: 'int bind(int, const void *, uint32_t)',
  listen: 'int listen(int, int)',
  connect: 'int connect(int, const void *, uint32_t)',
  getsockname: 'int getsockname(int, void *, void *)',
  setsockopt: 'int setsockopt(int, int, int, const void *, uint32_t)',
  send: 'long send(int, const void *, size_t, int)',
  recv: 'long recv(int, void *, size_t, int)',

  if_nametoindex: 'uint32_t if_nametoindex(const char *)',
  setns: 'int setns(int, int)',
  sysconf: 'long sysconf(int)',
  prctl: 'int prctl(int, unsigned long, unsigned long, unsigned long, unsigned long)',
  waitpid: 'int waitpid(int, void *, int)',
  abort: 'void abort(void)',
  getpwuid_r: 'int getpwuid_r(uint32_t, void *, void *, size_t, void *)',

  syscall: 'long syscall(long, long, void *, long)',
  syscall4: 'long syscall(long, long, long, void *, long)',
});

/** System call numbers. Those from Linux 5.1 on are the same on every architecture. */
export const callNumber = {
  pidfdSendSignal: 424,
  pidfdOpen: 434,
  getdents64: process.arch === 'x64' ? 217 : 61,
  /** -1, which is ENOSYS, where structures and numbers were not looked up. */
  bpf: { x64: 321, arm64: 280 }[process.arch as string] ?? -1,
} as const;

/** What libbpf allows, too. */
const bpfAttempts = 5;

/** bpf(2), which no C library wraps. @throws OsError */
export function bpf(command: number, attributes: Uint8Array): number {
  for (let attempt = 1; ; attempt++) {
    const result = Number(libc.syscall(callNumber.bpf, command, attributes, attributes.length));
    // The verifier gives up with EAGAIN where a signal is pending, such as a profiler's.
    const again = result < 0 && ['EAGAIN', 'EINTR'].includes(errnoName(errno()));
    if (!again || attempt === bpfAttempts) return checked('bpf', result);
  }
}
