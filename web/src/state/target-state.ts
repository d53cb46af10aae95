// The one word for a target. Pure.
import type { TargetStatus } from './types.ts';

/** The one word that matters most of a target. Maintenance is none: it goes on getting connections. */
export function targetState(target: Pick<TargetStatus, 'draining' | 'verdict' | 'ejectedUntil'>): string {
  if (target.draining) return 'draining';
  if (target.verdict === 'down') return 'down';
  return target.ejectedUntil !== null ? 'ejected' : target.verdict;
}
