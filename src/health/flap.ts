// Flapping: more changes of a verdict in a time than something sound ever has. Pure.
import type { Rate } from '../core/quantity.ts';

export interface FlapState {
  /** Times (wall clock, ms) of the last changes, oldest first; never more than one beyond the limit. */
  changes: readonly number[];
  flapping: boolean;
}

export const steady: FlapState = { changes: [], flapping: false };

/**
 * More than `count` changes within `perMs` is flapping; it ends once there has been none for `perMs`. A clock that
 * was set back makes changes of the future, which are forgotten.
 */
export function stepFlap(state: FlapState, changed: boolean, now: number, { count, perMs }: Rate): FlapState {
  const last = state.changes.at(-1);
  if (!changed && (last === undefined || (!state.flapping && last <= now))) return state;
  const kept = state.changes.filter((at) => at <= now && now - at < perMs);
  const changes = (changed ? [...kept, now] : kept).slice(-(count + 1));
  const flapping = changes.length > count || (state.flapping && changes.length > 0);
  return { changes, flapping };
}
