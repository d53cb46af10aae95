// The health state machine: consecutive results in, a verdict with thresholds out. Pure.
import type { HealthVerdict } from './verdict.ts';

/** `fall` failures in a row take it down, `rise` successes bring it back. */
export interface Thresholds {
  fall: number;
  rise: number;
}

export interface HealthState {
  verdict: HealthVerdict;
  /** How many results in a row have disagreed with the verdict. */
  streak: number;
}

export const initialHealth: HealthState = { verdict: 'unknown', streak: 0 };

/**
 * The state after one result. From `unknown` the first success is enough, since nothing has failed yet, while
 * `fall` failures are still needed; an `unknown` result says nothing and changes nothing.
 */
export function stepHealth(
  state: HealthState,
  result: HealthVerdict,
  { fall, rise }: Thresholds,
): HealthState {
  if (result === 'unknown') return state;
  if (result === state.verdict) return state.streak === 0 ? state : { verdict: state.verdict, streak: 0 };
  const needed = result === 'down' ? fall : state.verdict === 'unknown' ? 1 : rise;
  // A success while still unknown settles it at once, so an unknown's streak only ever counts failures.
  const streak = state.streak + 1;
  return streak >= needed ? { verdict: result, streak: 0 } : { verdict: state.verdict, streak };
}

/** Whether results disagree with the verdict at the moment: then it is worth probing faster. */
export function isChanging(state: HealthState): boolean {
  return state.streak > 0;
}
