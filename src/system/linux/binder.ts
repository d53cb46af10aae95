// Tries a bind with exactly the flags asked for, then lets go of the port; nobody gets connected meanwhile.
import { addressBytes, type Family, familyOf } from '../../core/address.ts';
import { OsError, ReeveError } from '../../core/errors.ts';
import { addressOf, checked, libc } from '../../ffi/index.ts';
import type { Binder, BindFailure, BindOutcome, BindRequest } from '../system.ts';

const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_ATTACH_FILTER = 26;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;
const BPF_RET = 0x06;

export function createBinder(): Binder {
  return {
    async attempt(request) {
      return attempt(request);
    },
  };
}

function attempt(request: BindRequest): BindOutcome {
  const { family, sockaddr } = encodeAddress(request.address, request.port);
  let fd = -1;
  try {
    const type = request.protocol === 'tcp' ? SOCK_STREAM : SOCK_DGRAM;
    fd = checked('socket', libc.socket(family === 'ipv4' ? AF_INET : AF_INET6, type | SOCK_CLOEXEC, 0));
    if (request.reuse) setOption(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (family === 'ipv6') setOption(fd, IPPROTO_IPV6, IPV6_V6ONLY, request.v6only ? 1 : 0);
    checked('bind', libc.bind(fd, sockaddr, sockaddr.length));
    if (request.protocol === 'tcp') {
      dropEverything(fd);
      checked('listen', libc.listen(fd, 1));
    }
    return { ok: true, port: boundPort(fd, sockaddr.length) };
  } catch (error) {
    if (!(error instanceof OsError)) throw error;
    return { ok: false, error: { code: error.code, syscall: error.syscall as BindFailure['syscall'] } };
  } finally {
    if (fd >= 0) libc.close(fd);
  }
}

function setOption(fd: number, level: number, option: number, value: number): void {
  const bytes = new Uint8Array(Int32Array.of(value).buffer);
  checked('setsockopt', libc.setsockopt(fd, level, option, bytes, bytes.length));
}

/**
 * A listening socket completes handshakes by itself, and closing it resets those connections. With a filter that
 * takes no packet (classic BPF `ret #0`, socket(7)) a client that dials in this instant only sees its SYN lost,
 * and tries again. Some kernels refuse filters to users without privilege (seen: EPERM on a Linux 6.18); then the
 * instant of some microseconds remains.
 */
export function dropEverything(fd: number): void {
  // struct sock_fprog (a count and a pointer, 16 bytes) and the one instruction that it points at, in one piece.
  const bytes = new Uint8Array(24);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 1, true);
  view.setBigUint64(8, addressOf(bytes) + 16n, true);
  view.setUint16(16, BPF_RET, true);
  libc.setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, bytes, 16);
}

function boundPort(fd: number, size: number): number {
  const sockaddr = new Uint8Array(size);
  const length = new Uint8Array(Int32Array.of(size).buffer);
  checked('bind', libc.getsockname(fd, sockaddr, length));
  return new DataView(sockaddr.buffer).getUint16(2);
}

/** struct sockaddr_in (16 bytes) or sockaddr_in6 (28 bytes). @throws ReeveError `usage` for what is no address. */
export function encodeAddress(address: string, port: number): { family: Family; sockaddr: Uint8Array } {
  const [bare = '', zone] = address.split('%');
  const family = familyOf(bare);
  const bytes = addressBytes(bare);
  if (family === null || bytes === null) {
    throw new ReeveError(
      'usage',
      `cannot bind '${address}': an IPv4 or IPv6 address is needed, without a port`,
    );
  }
  const sockaddr = new Uint8Array(family === 'ipv4' ? 16 : 28);
  const view = new DataView(sockaddr.buffer);
  view.setUint16(0, family === 'ipv4' ? AF_INET : AF_INET6, true);
  view.setUint16(2, port);
  sockaddr.set(bytes, family === 'ipv4' ? 4 : 8);
  if (family === 'ipv6' && zone !== undefined) view.setUint32(24, zoneIndex(zone), true);
  return { family, sockaddr };
}

/** `%eth0` or `%2`. 0 where there is no such interface, which the kernel then refuses. */
function zoneIndex(zone: string): number {
  return /^\d{1,9}$/.test(zone) ? Number(zone) : libc.if_nametoindex(zone);
}
