// Binds by Node's own sockets. They set SO_REUSEADDR as libuv sees fit, so `reuse` cannot be honoured for TCP.
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { familyOf } from '../../core/address.ts';
import { errorCode, ReeveError } from '../../core/errors.ts';
import type { BindFailure, BindOutcome, BindRequest } from '../system.ts';

export function attemptBind(request: BindRequest): Promise<BindOutcome> {
  if (familyOf(request.address.split('%')[0]!) === null) {
    return Promise.reject(
      new ReeveError(
        'usage',
        `cannot bind '${request.address}': an IPv4 or IPv6 address is needed, without a port`,
      ),
    );
  }
  return request.protocol === 'tcp' ? attemptTcp(request) : attemptUdp(request);
}

function attemptTcp({ address, port, v6only }: BindRequest): Promise<BindOutcome> {
  return new Promise((resolve) => {
    const server = createServer((connection) => connection.destroy());
    server.once('error', (error) => resolve(failure(error)));
    // `exclusive`: in a cluster worker the bind would otherwise be the primary's.
    server.listen({ host: address, port, ipv6Only: v6only, backlog: 1, exclusive: true }, () => {
      const bound = server.address() as { port: number };
      server.close(() => resolve({ ok: true, port: bound.port }));
    });
  });
}

function attemptUdp({ address, port, reuse, v6only }: BindRequest): Promise<BindOutcome> {
  return new Promise((resolve) => {
    const type = address.includes(':') ? 'udp6' : 'udp4';
    const socket = createSocket({ type, reuseAddr: reuse, ipv6Only: v6only });
    socket.once('error', (error) => {
      socket.close();
      resolve(failure(error));
    });
    socket.bind({ address, port, exclusive: true }, () => {
      const bound = socket.address();
      socket.close(() => resolve({ ok: true, port: bound.port }));
    });
  });
}

/** Node says `listen` for every step of a server's start; where it must have been the bind, it was. */
function failure(error: unknown): BindOutcome {
  const code = errorCode(error) ?? 'UNKNOWN';
  const syscall: BindFailure['syscall'] = code === 'EAFNOSUPPORT' || code === 'EMFILE' ? 'socket' : 'bind';
  return { ok: false, error: { code, syscall } };
}
