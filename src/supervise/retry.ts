// When to start again after a failure: growing delays, and the point at which it is a crash loop. Pure.
import type { ServiceConfig } from '../config/index.ts';
import { backoffDelay } from '../core/backoff.ts';
import type { DurationRange } from '../core/quantity.ts';

/** So long in health, and what went wrong before is forgotten. */
export const healthyAfter = 30_000;

/** With fewer failures in a row, the longest delay alone is no crash loop: it may be a short one. */
const fewestInLoop = 5;

export interface Retry {
  /** Failures since it was last healthy for long. */
  failures: number;
  /** Monotonic times (ms) of the failures within the limit's time. */
  recent: readonly number[];
  looping: boolean;
}

export const noFailures: Retry = { failures: 0, recent: [], looping: false };

export interface NextStart {
  retry: Retry;
  /** Milliseconds. */
  delay: number;
  /** It has just become a crash loop. */
  enteredLoop: boolean;
}

/**
 * `healthyFor`: how long (ms) it was up before it failed. A crash loop begins with more failures than the limit
 * allows, or where the delay cannot grow any more (by default long before the limit); it ends with a healthy run.
 */
export function afterFailure(
  before: Retry,
  healthyFor: number,
  now: number,
  { backoff, limit }: Pick<ServiceConfig['restart'], 'backoff' | 'limit'>,
  random: () => number,
): NextStart {
  const { failures, recent, looping } = healthyFor >= healthyAfter ? noFailures : before;
  // One more than the limit is enough to know that it is over it.
  const within = [...recent, now].filter((time) => now - time < limit.perMs).slice(-(limit.count + 1));
  const slowest = failures + 1 >= fewestInLoop && backoff.min * 2 ** Math.min(failures, 31) >= backoff.max;
  const loops = looping || within.length > limit.count || slowest;
  return {
    retry: { failures: failures + 1, recent: within, looping: loops },
    delay: loops ? backoff.max * (0.9 + 0.1 * random()) : between(backoff, failures, random),
    enteredLoop: loops && !looping,
  };
}

/** From min·2ⁿ to twice that, within the policy: what the configuration says is the least is the least. */
function between(backoff: DurationRange, failures: number, random: () => number): number {
  return Math.max(backoff.min, backoffDelay(backoff, failures + 1, random));
}
