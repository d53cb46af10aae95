// Binds on Windows with exactly the options asked for. SO_REUSEADDR is never set on TCP: here it steals ports.
import { addressBytes, familyOf } from '../../core/address.ts';
import { OsError, ReeveError } from '../../core/errors.ts';
import { net, socketSucceeded, winsock } from '../../ffi/index.ts';
import type { Binder, BindFailure, BindOutcome, BindRequest } from '../system.ts';

/**
 * `reuse` is a bind as programs do it by default on Windows, with no option at all (libuv sets none); without it,
 * SO_EXCLUSIVEADDRUSE, which shares with nobody. For UDP `reuse` is SO_REUSEADDR, as it is elsewhere.
 */
export function createBinder(): Binder {
  const start = createStart();
  const unsupported = (what: string) => async () => {
    throw new ReeveError('unsupported', `cannot ${what} on Windows: a bound socket would keep everybody out`);
  };
  return {
    // An IPv4 socket on one address and a dual-stack one on :: live side by side where neither is exclusive.
    dualStackMeetsAll: false,
    async attempt(request) {
      const { family, sockaddr } = encodeAddress(request.address, request.port);
      start();
      return attempt(request, family, sockaddr);
    },
    park: unsupported('park a port'),
    listening: unsupported('pass on a listening socket'),
  };
}

function createStart(): () => void {
  let started = false;
  return () => {
    // Node has started winsock for this process; counting once more needs no end (WSADATA is 408 bytes).
    if (!started) winsock.WSAStartup(0x0202, new Uint8Array(512));
    started = true;
  };
}

function attempt(request: BindRequest, family: number, sockaddr: Uint8Array): BindOutcome {
  const { protocol, reuse, v6only } = request;
  const type = protocol === 'tcp' ? net.SOCK_STREAM : net.SOCK_DGRAM;
  let socket = -1;
  try {
    socket = socketSucceeded('socket', winsock.socket(family, type, 0));
    if (!reuse) setOption(socket, net.SOL_SOCKET, net.SO_EXCLUSIVEADDRUSE, 1);
    else if (protocol === 'udp') setOption(socket, net.SOL_SOCKET, net.SO_REUSEADDR, 1);
    if (family === net.AF_INET6) setOption(socket, net.IPPROTO_IPV6, net.IPV6_V6ONLY, v6only ? 1 : 0);
    socketSucceeded('bind', winsock.bind(socket, sockaddr, sockaddr.length));
    if (protocol === 'tcp') socketSucceeded('listen', winsock.listen(socket, 1));
    return { ok: true, port: boundPort(socket) };
  } catch (error) {
    if (!(error instanceof OsError)) throw error;
    return { ok: false, error: { code: error.code, syscall: error.syscall as BindFailure['syscall'] } };
  } finally {
    if (socket !== -1) winsock.closesocket(socket);
  }
}

function setOption(socket: number, level: number, option: number, value: number): void {
  const bytes = new Uint8Array(Int32Array.of(value).buffer);
  socketSucceeded('setsockopt', winsock.setsockopt(socket, level, option, bytes, bytes.length));
}

function boundPort(socket: number): number {
  const address = new Uint8Array(28);
  const size = new Uint8Array(Int32Array.of(address.length).buffer);
  socketSucceeded('bind', winsock.getsockname(socket, address, size));
  return new DataView(address.buffer).getUint16(2);
}

/** SOCKADDR_IN (16 bytes) or SOCKADDR_IN6 (28 bytes). @throws ReeveError `usage` for what is no address. */
export function encodeAddress(address: string, port: number): { family: number; sockaddr: Uint8Array } {
  const [bare = '', zone] = address.split('%');
  const family = familyOf(bare);
  const bytes = addressBytes(bare);
  if (family === null || bytes === null) {
    throw new ReeveError(
      'usage',
      `cannot bind '${address}': an IPv4 or IPv6 address is needed, without a port`,
    );
  }
  const code = family === 'ipv4' ? net.AF_INET : net.AF_INET6;
  const sockaddr = new Uint8Array(family === 'ipv4' ? 16 : 28);
  const view = new DataView(sockaddr.buffer);
  view.setUint16(0, code, true);
  view.setUint16(2, port);
  sockaddr.set(bytes, family === 'ipv4' ? 4 : 8);
  // Windows writes zones as the number of the interface.
  if (family === 'ipv6' && zone && /^\d{1,9}$/.test(zone)) view.setUint32(24, Number(zone), true);
  return { family: code, sockaddr };
}
