// Waiting for a descriptor to become readable, for a limited time: one watch, kept as long as its prober.
import { watchReadable } from '../../../ffi/index.ts';

export interface Wake {
  wait(ms: number, signal: AbortSignal): Promise<void>;
  close(): void;
}

export function createWake(fd: number): Wake {
  let watch: { close(): void } | null = null;
  let wake: (() => void) | null = null;
  const unwatch = () => {
    watch?.close();
    watch = null;
  };
  return {
    wait(ms, signal) {
      if (signal.aborted) return Promise.resolve();
      return new Promise((resolve) => {
        const end = () => {
          clearTimeout(timer);
          signal.removeEventListener('abort', end);
          wake = null;
          resolve();
        };
        const timer = setTimeout(end, ms);
        signal.addEventListener('abort', end, { once: true });
        wake = end;
        watch ??= watchReadable(fd, () => {
          if (wake) wake();
          // Nobody waits: the loop is at work, and a level-triggered watch would call at every turn of it.
          else unwatch();
        });
      });
    },
    close: unwatch,
  };
}
