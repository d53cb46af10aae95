// How a relayed connection ends, decided alike by every engine. No I/O.
import type { EndReason } from './engine.ts';

/**
 * How long a side is still listened to (and ignored) after the other one is gone. Closing on data that was not read
 * makes the kernel send RST, which can destroy what the peer has not read yet (RFC 9112 §9.6); nginx waits as long.
 */
export const lingerMs = 5000;

const cutCodes = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED']);

/** Why a connection ended whose `side` failed with this error code. */
export function reasonOf(code: string | null, side: 'client' | 'target'): EndReason {
  return cutCodes.has(code ?? '') ? `${side}-reset` : 'error';
}
