// Small moves on Node's sockets that need care.
import type { Socket } from 'node:net';

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
