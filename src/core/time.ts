// Waiting that can always be cancelled.
import { ReeveError } from './errors.ts';

/** Node runs a longer timer at once (2³¹−1 ms, 24.8 days). */
const longestTimer = 2 ** 31 - 1;

/** Resolves after `ms`; rejects with code `aborted` as soon as the signal says so. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(abortError(signal));
    let rest = ms;
    const arm = () => {
      const part = Math.min(rest, longestTimer);
      rest -= part;
      return setTimeout(rest > 0 ? next : done, part);
    };
    const next = () => {
      timer = arm();
    };
    const done = () => {
      signal?.removeEventListener('abort', stop);
      resolve();
    };
    let timer = arm();
    const stop = () => {
      clearTimeout(timer);
      reject(abortError(signal!));
    };
    signal?.addEventListener('abort', stop, { once: true });
  });
}

/** The signal's own reason where it is one of ours, so that a timeout stays a timeout. */
export function abortError(signal: AbortSignal): Error {
  const { reason } = signal;
  if (reason instanceof ReeveError) return reason;
  if ((reason as { name?: string } | undefined)?.name === 'TimeoutError') {
    return new ReeveError('timeout', 'timed out', { cause: reason });
  }
  return new ReeveError('aborted', 'cancelled', { cause: reason });
}
