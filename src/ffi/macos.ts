// Calls of macOS's system library that Portreeve makes: libproc, sysctl, limits. Results are raw.
import { declare, type Pointer } from './call.ts';

export interface MacCalls {
  proc_pidinfo(pid: number, flavor: number, argument: number, buffer: Pointer, size: number): number;
  proc_pidfdinfo(pid: number, fd: number, flavor: number, buffer: Pointer, size: number): number;
  proc_pidpath(pid: number, buffer: Pointer, size: number): number;
  sysctl(
    name: Pointer,
    count: number,
    old: Pointer,
    oldSize: Pointer,
    fresh: null,
    freshSize: number,
  ): number;
  sysctlbyname(name: string, old: Pointer, oldSize: Pointer, fresh: null, freshSize: number): number;
  getrlimit(resource: number, limit: Pointer): number;
  /** Variable arguments have a place of their own on arm64: each with its type before it. */
  fcntl(fd: number, command: number, type: 'int', value: number): number;
}

/** libproc is a part of libSystem, which Node itself is linked with. */
export const macCalls: MacCalls = declare<MacCalls>([null, '/usr/lib/libSystem.B.dylib'], {
  proc_pidinfo: 'int proc_pidinfo(int, int, uint64_t, void *, int)',
  proc_pidfdinfo: 'int proc_pidfdinfo(int, int, int, void *, int)',
  proc_pidpath: 'int proc_pidpath(int, void *, uint32_t)',
  sysctl: 'int sysctl(void *, unsigned int, void *, void *, void *, size_t)',
  sysctlbyname: 'int sysctlbyname(const char *, void *, void *, void *, size_t)',
  getrlimit: 'int getrlimit(int, void *)',
  fcntl: 'int fcntl(int, int, ...)',
});
