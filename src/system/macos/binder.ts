// Binds on macOS with exactly the flags asked for: Linux's calls with BSD's numbers.
import { ReeveError } from '../../core/errors.ts';
import { checked, type MacCalls } from '../../ffi/index.ts';
import { attemptBind } from '../linux/binder.ts';
import { openBound, type SocketNumbers } from '../linux/bound.ts';
import { openListening } from '../linux/listening.ts';
import type { Binder, BindRequest } from '../system.ts';

const F_SETFD = 2;
const FD_CLOEXEC = 1;

/** bsd/sys/socket.h and bsd/netinet6/in6.h of XNU. errno's numbers differ too: Node's own table names them. */
export const macNumbers: SocketNumbers = {
  AF_INET6: 30,
  SOCK_CLOEXEC: 0,
  SOL_SOCKET: 0xffff,
  SO_REUSEADDR: 4,
  IPV6_V6ONLY: 27,
  lengthByte: true,
};

export function createBinder(calls: MacCalls): Binder {
  const numbers = {
    ...macNumbers,
    closeOnExec: (fd: number) => void checked('setsockopt', calls.fcntl(fd, F_SETFD, 'int', FD_CLOEXEC)),
  };
  const open = (request: BindRequest) => openBound(request, numbers);
  return {
    // With SO_REUSEADDR a wildcard and a specific address of one user live side by side (in_pcbbind, in_pcb.c).
    dualStackMeetsAll: false,
    attempt: async (request) => attemptBind(request, open, () => {}),
    listening: async (request) => openListening(request, open),
    async park() {
      // Unlike on Linux, SO_REUSEADDR does not let two sockets have the same address.
      throw new ReeveError(
        'unsupported',
        'cannot park a port on macOS: a bound socket would keep everybody out',
      );
    },
  };
}
