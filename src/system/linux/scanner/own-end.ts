// The local end of a socket, and the address inside a socket address.
import { checked, libc } from '../../../ffi/index.ts';

/** @returns struct sockaddr_in or sockaddr_in6 of `size` bytes. @throws OsError */
export function ownEnd(fd: number, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  checked('getsockname', libc.getsockname(fd, bytes, new Uint8Array(Int32Array.of(size).buffer)));
  return bytes;
}

export function portIn(sockaddr: Uint8Array): number {
  return (sockaddr[2]! << 8) | sockaddr[3]!;
}

/** 4 or 16 bytes in network order. */
export function addressIn(sockaddr: Uint8Array): Uint8Array {
  return sockaddr.length === 16 ? sockaddr.subarray(4, 8) : sockaddr.subarray(8, 24);
}
