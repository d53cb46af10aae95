// One step of closing: neither its failure nor its delay keeps those that follow from happening.
import type { Log } from '../core/context.ts';
import { errorMessage, ReeveError } from '../core/errors.ts';
import { sleep } from '../core/time.ts';

/** Milliseconds. Far above what each step allows itself: a disk or a process may be stuck. */
const longest = 120_000;

export type Step = (what: string, work: () => Promise<unknown>) => Promise<void>;

export function createStep(log: Log): Step {
  return async (what, work) => {
    const done = new AbortController();
    const late = sleep(longest, done.signal).then(() => {
      throw new ReeveError('timeout', `not done within ${longest / 1000} s`);
    });
    await Promise.race([work(), late])
      .catch((error) => log.error({ error: errorMessage(error) }, `${what} failed`))
      .finally(() => done.abort());
  };
}
