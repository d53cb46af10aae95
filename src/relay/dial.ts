// Connects to one target within a time, once.
import { connect, type Socket } from 'node:net';
import type { Target } from './engine.ts';

/**
 * Calls exactly one of `connected` and `failed`, never at once; the returned function cancels, and then neither is
 * called. The socket is handed over without listeners.
 */
export function dialTarget(
  target: Target,
  timeoutMs: number,
  connected: (socket: Socket) => void,
  failed: (error: unknown) => void,
): () => void {
  const { host, port } = target;
  const socket = connect({ host, port, allowHalfOpen: true, noDelay: true });
  const timer = setTimeout(() => {
    socket.destroy(Object.assign(new Error('connect timed out'), { code: 'ETIMEDOUT' }));
  }, timeoutMs);
  const onError = (error: unknown) => {
    clearTimeout(timer);
    failed(error);
  };
  socket.once('error', onError);
  socket.once('connect', () => {
    // A loopback port that nobody listens on may be connected to itself (Linux, simultaneous open).
    if (socket.localPort === socket.remotePort && socket.localAddress === socket.remoteAddress) {
      socket.destroy(Object.assign(new Error('connected to itself'), { code: 'ECONNREFUSED' }));
      return;
    }
    clearTimeout(timer);
    socket.off('error', onError);
    connected(socket);
  });
  return () => {
    clearTimeout(timer);
    socket.off('error', onError);
    socket.on('error', ignore);
    socket.destroy();
  };
}

function ignore(): void {}
