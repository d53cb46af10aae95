// Small moves on Node's sockets that need care.
import type { Socket } from 'node:net';
import { errorCode } from '../core/errors.ts';
import type { EndReason } from './engine.ts';

/** Ends a connection by RST where the socket is able to. */
export function reset(socket: Socket): void {
  // libuv refuses to reset while a FIN is under way (uv_tcp_close_reset: UV_EINVAL), and Node then loses the handle.
  const ending = socket.writableEnded && !socket.writableFinished;
  if (socket.destroyed) return;
  if (ending || socket.connecting) socket.destroy();
  else socket.resetAndDestroy();
}

/** Calls back once all that was written has gone to the kernel. Not called when the socket dies before. */
export function whenFlushed(socket: Socket, then: () => void): void {
  if (socket.writableLength === 0) then();
  else if (socket.writableEnded) socket.once('finish', then);
  else socket.write('', (error) => error || then());
}

const cutCodes = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED']);

/** Why a connection ended whose `side` failed with this error. */
export function reasonOf(error: unknown, side: 'client' | 'target'): EndReason {
  return cutCodes.has(errorCode(error) ?? '') ? `${side}-reset` : 'error';
}
