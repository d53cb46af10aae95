// Holds a TCP port without listening: the kernel then gives it to no outgoing connection.
import { OsError, ReeveError } from '../../core/errors.ts';
import { libc } from '../../ffi/index.ts';
import type { Parked } from '../system.ts';
import { openBound } from './bound.ts';

/** Where the kernel has no IPv6 at all, or this network namespace has it disabled. */
const withoutIpv6 = new Set(['EAFNOSUPPORT', 'EADDRNOTAVAIL']);

/**
 * SO_REUSEADDR lets a server that sets it as well (Node, Go, Java, nginx…) bind and listen while the port stays
 * parked; and a connection's automatic bind never shares a port that was bound by hand (Linux).
 */
export function park(port: number): Parked {
  let fd = open('::', port) ?? open('0.0.0.0', port);
  if (fd === null) throw new ReeveError('unsupported', 'cannot park a port: there is neither IPv6 nor IPv4');
  return {
    port,
    release() {
      if (fd !== null) libc.close(fd);
      fd = null;
    },
  };
}

function open(address: string, port: number): number | null {
  try {
    return openBound({ protocol: 'tcp', address, port, reuse: true, v6only: false });
  } catch (error) {
    if (!(error instanceof OsError)) throw error;
    if (withoutIpv6.has(error.code)) return null;
    throw new ReeveError('conflict', `cannot park port ${port}: ${error.syscall} failed with ${error.code}`, {
      hint: `See who has it: reeve who ${port}`,
      cause: error,
    });
  }
}
