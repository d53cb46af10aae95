// The state machine of a check in words: since when, why, when the next probe is and what would change the verdict.
import { clock, duration, latency } from '../format.ts';
import { t, word } from '../i18n/index.ts';
import type { CheckStatus } from './types.ts';

/** The word for a check: what is up and to be looked at is neither. */
export const checkState = ({ verdict, degraded }: Pick<CheckStatus, 'verdict' | 'degraded'>): string =>
  verdict === 'up' && degraded ? 'degraded' : verdict;

export function explainCheck(check: CheckStatus, now: number): string {
  const { verdict, reason, streak, fall, rise, timeout, ms } = check;
  const last =
    reason === null
      ? t('probe.succeeded', { time: latency(ms) })
      : reason === 'timeout'
        ? t('probe.timeout', { time: latency(timeout) })
        : word('probe', reason);
  const sentences: string[] = [];
  if (verdict === 'unknown') sentences.push(t('check.unknown', { last }));
  else {
    const values = {
      since: clock(check.since),
      time: duration(now - Date.parse(check.since)),
      last,
      fall,
      rise,
    };
    sentences.push(t(verdict === 'down' ? 'check.down' : 'check.up', values));
    if (checkState(check) === 'degraded') sentences.push(t('check.degraded'));
  }
  sentences.push(next(check, now));
  if (verdict === 'down') sentences.push(t('check.back', { rise, streak }));
  else if (streak > 0) sentences.push(t('check.falling', { fall, streak }));
  else sentences.push(t('check.takesDown', { fall }));
  return sentences.join(' ');
}

function next({ nextAt }: CheckStatus, now: number): string {
  if (nextAt === null) return t('check.probing');
  const left = Date.parse(nextAt) - now;
  return t('check.next', {
    time: left < 10_000 ? `${Math.max(0, left / 1000).toFixed(1)} ${t('unit.s')}` : duration(left),
  });
}
