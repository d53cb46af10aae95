// How a relayed connection ends, decided alike by every engine. No I/O.
import type { ConnectionEnd, EndReason } from './engine.ts';

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

/** Milliseconds after its connect within which a target that cuts a connection has not served it. */
const instantMs = 1000;

type Verdict = Pick<ConnectionEnd, 'target' | 'reason' | 'sent' | 'ms' | 'connectMs'>;

/**
 * What the end of a connection says of its target: it `took` the connection, it cut it off at once without a word, which is
 * as good as not accepting it, or null where that cannot be told.
 */
export function outcomeOf({ target, reason, sent, ms, connectMs }: Verdict): 'took' | 'cut' | null {
  if (target === null || connectMs === null) return null;
  if (reason === 'target-reset' && sent === 0) return ms - connectMs <= instantMs ? 'cut' : null;
  return sent > 0 || reason === 'done' ? 'took' : null;
}
