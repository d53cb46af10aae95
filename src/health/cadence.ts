// When a check is due next. Pure.
import { type HealthState, isChanging } from '../core/health.ts';

/** Milliseconds, and results in a row. */
export interface CheckTiming {
  interval: number;
  timeout: number;
  fall: number;
  rise: number;
  /** Between probes while results and verdict disagree. */
  fastInterval: number;
}

/** Between the probes of something that is starting: often at first, so that it is in use soon after it is ready. */
const startInterval = 100;
const startGrowth = 1.5;

/** Before the first probe: spread, so that a thousand checks do not start in one instant. */
export function firstDelay({ interval }: CheckTiming, random: () => number): number {
  return Math.min(interval, 1000) * random();
}

/**
 * After a result. `startTries` counts the probes of something that is starting, null when it is not.
 * ±10 %, so that checks do not fall into step.
 */
export function delayAfter(
  state: HealthState,
  startTries: number | null,
  timing: CheckTiming,
  random: () => number,
): number {
  return base(state, startTries, timing) * (0.9 + 0.2 * random());
}

function base(state: HealthState, startTries: number | null, { interval, fastInterval }: CheckTiming) {
  const fast = Math.min(fastInterval, interval);
  if (startTries !== null) return Math.min(fast, startInterval * startGrowth ** Math.min(startTries, 50));
  return isChanging(state) || state.verdict === 'unknown' ? fast : interval;
}
