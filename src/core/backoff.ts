// How long to wait before trying again: min(base · 2ⁿ, max), with jitter so that many never move in step.
import type { DurationRange } from './quantity.ts';

/**
 * The delay before attempt `attempt` (0 is the first retry), in milliseconds.
 * Equal jitter: half is fixed, half random, so the delay keeps growing and never falls to nothing
 * (M. Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog, 2015).
 */
export function backoffDelay({ min, max }: DurationRange, attempt: number, random: () => number): number {
  // 2^31 · 1 ms is 24 days: beyond it, only `max` counts, and the power must not overflow.
  const full = Math.min(max, min * 2 ** Math.min(attempt, 31));
  return full / 2 + (full / 2) * random();
}
