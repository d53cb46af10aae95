// Tries a bind with exactly the flags asked for, then lets go of the port; nobody gets connected meanwhile.
import { OsError } from '../../core/errors.ts';
import { addressOf, checked, libc } from '../../ffi/index.ts';
import type { Binder, BindFailure, BindOutcome, BindRequest } from '../system.ts';
import { encodeAddress, openBound } from './bound.ts';
import { openListening } from './listening.ts';
import { park } from './park.ts';

const SOL_SOCKET = 1;
const SO_ATTACH_FILTER = 26;
const BPF_RET = 0x06;

export function createBinder(): Binder {
  return {
    dualStackMeetsAll: true,
    async attempt(request) {
      return attemptBind(request, openBound, dropEverything);
    },
    async park(port) {
      return park(port);
    },
    async listening(request) {
      return openListening(request);
    },
  };
}

/** `open` gives a bound socket; `beforeListen` sees it last. */
export function attemptBind(
  request: BindRequest,
  open: (request: BindRequest) => number,
  beforeListen: (fd: number) => void,
): BindOutcome {
  let fd = -1;
  try {
    fd = open(request);
    if (request.protocol === 'tcp' && request.listen !== false) {
      beforeListen(fd);
      checked('listen', libc.listen(fd, 1));
    }
    return { ok: true, port: request.port || boundPort(fd, request.address) };
  } catch (error) {
    if (!(error instanceof OsError)) throw error;
    return { ok: false, error: { code: error.code, syscall: error.syscall as BindFailure['syscall'] } };
  } finally {
    if (fd >= 0) libc.close(fd);
  }
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

function boundPort(fd: number, address: string): number {
  const { sockaddr } = encodeAddress(address, 0);
  const size = sockaddr.length;
  const length = new Uint8Array(Int32Array.of(size).buffer);
  checked('bind', libc.getsockname(fd, sockaddr, length));
  return new DataView(sockaddr.buffer).getUint16(2);
}
