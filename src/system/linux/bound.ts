// Opens a socket that is bound with exactly the flags asked for, which Node's own sockets cannot be.
import { addressBytes, type Family, familyOf, formatAddressBytes } from '../../core/address.ts';
import { ReeveError } from '../../core/errors.ts';
import { checked, libc } from '../../ffi/index.ts';
import type { BindRequest } from '../system.ts';

const AF_INET = 2;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const IPPROTO_IPV6 = 41;

/** What differs from one Unix to the next in the same calls. */
export interface SocketNumbers {
  AF_INET6: number;
  /** Added to the type; 0 where there is no such flag, and `closeOnExec` does it. */
  SOCK_CLOEXEC: number;
  SOL_SOCKET: number;
  SO_REUSEADDR: number;
  IPV6_V6ONLY: number;
  /** BSD's addresses begin with their own length, and have a family of one byte. */
  lengthByte: boolean;
  closeOnExec?: (fd: number) => void;
}

const linuxNumbers: SocketNumbers = {
  AF_INET6: 10,
  SOCK_CLOEXEC: 0o2000000,
  SOL_SOCKET: 1,
  SO_REUSEADDR: 2,
  IPV6_V6ONLY: 26,
  lengthByte: false,
};

const integers = [0, 1].map((value) => new Uint8Array(Int32Array.of(value).buffer)) as [
  Uint8Array,
  Uint8Array,
];

/** @returns its descriptor, which is the caller's to close. @throws OsError */
export function openBound(request: BindRequest, numbers = linuxNumbers): number {
  const { protocol, address, port, reuse, v6only } = request;
  const { family, sockaddr } = encodeAddress(address, port, numbers);
  const type = (protocol === 'tcp' ? SOCK_STREAM : SOCK_DGRAM) | numbers.SOCK_CLOEXEC;
  const fd = checked('socket', libc.socket(family === 'ipv4' ? AF_INET : numbers.AF_INET6, type, 0));
  try {
    numbers.closeOnExec?.(fd);
    if (reuse) setOption(fd, numbers.SOL_SOCKET, numbers.SO_REUSEADDR, 1);
    if (family === 'ipv6') setOption(fd, IPPROTO_IPV6, numbers.IPV6_V6ONLY, v6only ? 1 : 0);
    checked('bind', libc.bind(fd, sockaddr, sockaddr.length));
    return fd;
  } catch (error) {
    libc.close(fd);
    throw error;
  }
}

function setOption(fd: number, level: number, option: number, value: 0 | 1): void {
  const bytes = integers[value];
  checked('setsockopt', libc.setsockopt(fd, level, option, bytes, bytes.length));
}

/** struct sockaddr_in (16 bytes) or sockaddr_in6 (28 bytes). @throws ReeveError `usage` for what is no address. */
export function encodeAddress(
  address: string,
  port: number,
  { AF_INET6, lengthByte } = linuxNumbers,
): { family: Family; sockaddr: Uint8Array } {
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
  const code = family === 'ipv4' ? AF_INET : AF_INET6;
  view.setUint16(0, lengthByte ? (code << 8) | sockaddr.length : code, true);
  view.setUint16(2, port);
  sockaddr.set(bytes, family === 'ipv4' ? 4 : 8);
  if (family === 'ipv6' && zone !== undefined) view.setUint32(24, zoneIndex(zone), true);
  return { family, sockaddr };
}

/** What getsockname(2) tells; null for other families than the internet's. */
export function decodeAddress(sockaddr: Uint8Array): { address: string; port: number } | null {
  const view = new DataView(sockaddr.buffer, sockaddr.byteOffset);
  const family = view.getUint16(0, true);
  if (family !== AF_INET && family !== linuxNumbers.AF_INET6) return null;
  const address =
    family === AF_INET ? formatAddressBytes('ipv4', sockaddr, 4) : formatAddressBytes('ipv6', sockaddr, 8);
  return { address, port: view.getUint16(2) };
}

/** `%eth0` or `%2`. 0 where there is no such interface, which the kernel then refuses. */
function zoneIndex(zone: string): number {
  return /^\d{1,9}$/.test(zone) ? Number(zone) : libc.if_nametoindex(zone);
}
