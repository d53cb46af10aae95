// One answer out of callbacks: the first counts, the rest is ignored, and a signal that aborts ends it.
import { abortError } from '../core/time.ts';

export interface Settle<T> {
  resolve(value: T): void;
  reject(error: Error): void;
}

/** `start` may return what cleans up; it is called once, however this ends. */
export function settled<T>(
  signal: AbortSignal,
  start: (settle: Settle<T>) => undefined | (() => void),
): Promise<T> {
  return new Promise((resolve, reject) => {
    let done = false;
    let cleanUp: (() => void) | undefined;
    const end = (act: () => void) => {
      if (done) return;
      done = true;
      signal.removeEventListener('abort', stop);
      cleanUp?.();
      act();
    };
    const stop = () => end(() => reject(abortError(signal)));
    if (signal.aborted) return stop();
    signal.addEventListener('abort', stop, { once: true });
    cleanUp = start({
      resolve: (value) => end(() => resolve(value)),
      reject: (error) => end(() => reject(error)),
    });
    // It was decided before there was anything to clean up.
    if (done) cleanUp?.();
  });
}
