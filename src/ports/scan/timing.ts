// How long to wait for an answer, learnt from those that came: RFC 6298's estimate, as TCP itself does it.

export interface Timing {
  /** An answer to a port's first probe. Those to later ones are not told (Karn: which probe did it answer?). */
  measured(ms: number): void;
  /** For the n-th probe of a port, from 0: each may take twice as long as the one before. Milliseconds. */
  timeoutMs(attempt: number): number;
}

/** Below this a busy machine's own delays look like silence. */
const leastMs = 200;

/** `mostMs` is what a port is waited for while nothing is known, and never more than that later. */
export function createTiming(mostMs: number): Timing {
  let smoothed: number | null = null;
  let variation = 0;
  return {
    measured(ms) {
      if (smoothed === null) {
        smoothed = ms;
        variation = ms / 2;
        return;
      }
      variation = 0.75 * variation + 0.25 * Math.abs(smoothed - ms);
      smoothed = 0.875 * smoothed + 0.125 * ms;
    },
    timeoutMs(attempt) {
      if (smoothed === null) return mostMs;
      const estimate = Math.max(leastMs, smoothed + 4 * variation);
      return Math.min(mostMs, estimate * 2 ** attempt);
    },
  };
}
