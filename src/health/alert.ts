// Whether a verdict is to be acted on: once, not while something else explains it, and again when asked to. Pure.
import type { HealthVerdict } from '../core/verdict.ts';

/** What keeps actions back, most telling first. */
export type Hold = 'maintenance' | 'flapping' | 'dependency' | 'asking';

export interface AlertState {
  /** What the actions were last told; nobody needs to be told that all is well from the beginning. */
  told: 'up' | 'down';
  /** Wall clock (ms) of the last onDown. */
  toldAt: number;
  /** Of onDown since it went down, after the first. */
  repeats: number;
  /** Failures in a row that nothing else explained, up to the threshold. */
  failures: number;
}

export const calm: AlertState = { told: 'up', toldAt: 0, repeats: 0, failures: 0 };

export interface AlertInput {
  verdict: HealthVerdict;
  /** Of the probe at hand; null where something else is the occasion. */
  result: HealthVerdict | null;
  fall: number;
  hold: Hold | null;
  /** Milliseconds; null: onDown is never repeated. */
  repeat: number | null;
  /** Wall clock, ms. */
  now: number;
}

export type Act = 'down' | 'repeat' | 'up';

export interface AlertStep {
  state: AlertState;
  act: Act | null;
  /** What would have been done, had nothing kept it back. */
  heldBack: Act | null;
}

/**
 * Failures while a dependency is down are the dependency's: when it returns, a full run of fresh ones is needed
 * before anybody is told. While it is only being asked, nothing is decided and nothing forgotten.
 */
export function stepAlert(before: AlertState, input: AlertInput): AlertStep {
  const { verdict, fall, hold, repeat, now } = input;
  const failures = countFailures(before.failures, input);
  const state = failures === before.failures ? before : { ...before, failures };
  const wanted = wantedAct(state, verdict, fall, repeat, now);
  // That it is up again is told whatever became of its dependencies.
  const isFree = hold === null || (wanted === 'up' && (hold === 'dependency' || hold === 'asking'));
  const suppressed = hold === 'dependency' && verdict === 'down' && state.told === 'up' ? 'down' : null;
  if (wanted === null) return { state, act: null, heldBack: suppressed };
  if (!isFree) return { state, act: null, heldBack: wanted };
  if (wanted === 'up') return { state: { ...calm, failures }, act: wanted, heldBack: null };
  const repeats = wanted === 'down' ? 0 : state.repeats + 1;
  return { state: { told: 'down', toldAt: now, repeats, failures }, act: wanted, heldBack: null };
}

function countFailures(failures: number, { result, hold, fall }: AlertInput): number {
  if (result === 'up') return 0;
  if (hold === 'dependency') return 0;
  return result === 'down' ? Math.min(fall, failures + 1) : failures;
}

function wantedAct(
  { told, toldAt, failures }: AlertState,
  verdict: HealthVerdict,
  fall: number,
  repeat: number | null,
  now: number,
): Act | null {
  if (verdict === 'up') return told === 'down' ? 'up' : null;
  if (verdict !== 'down') return null;
  if (told === 'up') return failures >= fall ? 'down' : null;
  // A clock that was set back must not put it off for years.
  const since = Math.abs(now - toldAt);
  return repeat !== null && since >= repeat ? 'repeat' : null;
}
