// Opens a listening socket for another program to inherit, as a service manager does.
import { formatHostPort } from '../../core/endpoint.ts';
import { OsError, ReeveError } from '../../core/errors.ts';
import { checked, libc } from '../../ffi/index.ts';
import type { BindRequest, ListeningSocket } from '../system.ts';
import { openBound } from './bound.ts';

/** systemd's own (`Backlog=` in systemd.socket(5)): the kernel lowers it to net.core.somaxconn. */
const backlog = 4096;

/** Blocking, as systemd passes it: who wants it otherwise sets that itself. */
export function openListening(request: BindRequest, open = openBound): ListeningSocket {
  const { address, port } = request;
  let fd: number | null = null;
  try {
    fd = open({ ...request, protocol: 'tcp' });
    checked('listen', libc.listen(fd, backlog));
  } catch (error) {
    if (fd !== null) libc.close(fd);
    if (!(error instanceof OsError)) throw error;
    throw new ReeveError(
      'conflict',
      `cannot listen on ${address} port ${port}: ${error.syscall} failed with ${error.code}`,
      { hint: `See why: reeve why ${formatHostPort(address, port)}`, cause: error },
    );
  }
  return {
    fd,
    close() {
      if (fd !== null) libc.close(fd);
      fd = null;
    },
  };
}
