// wait: until all are up, or until ports are free.
import { setMaxListeners } from 'node:events';
import { ReeveError } from '../core/errors.ts';
import { formatDuration } from '../core/quantity.ts';
import type { CheckResult } from '../core/records.ts';
import { sleep } from '../core/time.ts';

export interface WaitOptions {
  timeoutMs: number;
  intervalMs: number;
  /** How many successes in a row make one of them up. */
  successes: number;
  /** Told of each result as it comes. */
  onResult?: (result: CheckResult) => void;
}

/** Asks once; the signal ends when the whole wait does. */
export type Ask = (subject: string, signal: AbortSignal) => Promise<CheckResult>;

/**
 * The last result of each subject, in their order. All are `up` unless the time ran out: then those that are not
 * are as they were last seen.
 */
export async function waitFor(
  subjects: string[],
  ask: Ask,
  options: WaitOptions,
  signal: AbortSignal,
): Promise<CheckResult[]> {
  const deadline = AbortSignal.timeout(options.timeoutMs);
  const both = AbortSignal.any([signal, deadline]);
  setMaxListeners(0, both);
  const results = await Promise.all(subjects.map((subject) => waitForOne(subject, ask, options, both)));
  if (signal.aborted) throw new ReeveError('aborted', 'cancelled');
  return results;
}

async function waitForOne(
  subject: string,
  ask: Ask,
  options: WaitOptions,
  signal: AbortSignal,
): Promise<CheckResult> {
  let last: CheckResult | null = null;
  let streak = 0;
  while (!signal.aborted) {
    try {
      last = await ask(subject, signal);
      options.onResult?.(last);
      streak = last.verdict === 'up' ? streak + 1 : 0;
      if (streak >= options.successes) return last;
      await sleep(options.intervalMs, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
  const seen = last?.verdict === 'up' ? null : last;
  return {
    url: last?.url ?? subject,
    verdict: seen?.verdict ?? 'unknown',
    degraded: false,
    ms: last?.ms ?? null,
    reason: 'timeout',
    detail: `not there after ${formatDuration(options.timeoutMs)}${seen?.detail ? `; last: ${seen.detail}` : ''}`,
    address: last?.address ?? null,
    certificateExpiresAt: last?.certificateExpiresAt ?? null,
  };
}
