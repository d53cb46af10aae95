// A socket inside TLS that can be reset like the one that carries it.
import type { Socket } from 'node:net';

/** Node resets TCP sockets only (ERR_INVALID_HANDLE_TYPE): the carrier is reset, and its passenger ends with it. */
export function resettable<Secured extends Socket>(secured: Secured, carrier: Socket): Secured {
  secured.resetAndDestroy = () => {
    secured.pause();
    // Not at once: within an event of TLSWrap that can end the whole process (Node 20.20).
    setImmediate(() => {
      if (!carrier.destroyed) carrier.resetAndDestroy();
      secured.destroy();
    });
    return secured;
  };
  return secured;
}
