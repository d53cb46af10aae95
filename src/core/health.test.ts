// The health machine under any order of results.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type HealthState, initialHealth, isChanging, stepHealth } from './health.ts';
import type { HealthVerdict } from './verdict.ts';

const results = fc.array(fc.constantFrom<HealthVerdict>('up', 'down', 'unknown'), { maxLength: 60 });
const thresholds = fc.record({ fall: fc.integer({ min: 1, max: 5 }), rise: fc.integer({ min: 1, max: 5 }) });

describe('stepHealth', () => {
  it('says what the last results say: an independent reading of the whole history agrees', () => {
    fc.assert(
      fc.property(results, thresholds, (list, limits) => {
        const state = list.reduce((at, result) => stepHealth(at, result, limits), initialHealth);
        expect(state.verdict).toBe(verdictByHistory(list, limits));
      }),
      { numRuns: 1000 },
    );
  });

  it('changes only towards the result at hand, and only with a full run of them', () => {
    fc.assert(
      fc.property(results, thresholds, (list, limits) => {
        let state: HealthState = initialHealth;
        list.forEach((result, i) => {
          const next = stepHealth(state, result, limits);
          expect(next.streak).toBeGreaterThanOrEqual(0);
          expect(next.streak).toBeLessThan(
            next.verdict === 'up' || next.verdict === 'unknown' ? limits.fall : limits.rise,
          );
          expect(isChanging(next)).toBe(next.streak > 0);
          if (result === 'unknown') expect(next).toBe(state);
          if (next.verdict !== state.verdict) {
            expect(next).toEqual({ verdict: result, streak: 0 });
            const needed = result === 'down' ? limits.fall : state.verdict === 'unknown' ? 1 : limits.rise;
            const known = list.slice(0, i + 1).filter((one) => one !== 'unknown');
            expect(known.slice(-needed)).toEqual(Array(needed).fill(result));
          }
          state = next;
        });
      }),
    );
  });

  it('obeys lower thresholds at the next result', () => {
    const almost = { verdict: 'up', streak: 4 } as const;
    expect(stepHealth(almost, 'down', { fall: 2, rise: 1 })).toEqual({ verdict: 'down', streak: 0 });
  });
});

/** Scans for runs instead of keeping a state. */
function verdictByHistory(
  list: HealthVerdict[],
  { fall, rise }: { fall: number; rise: number },
): HealthVerdict {
  const known = list.filter((result) => result !== 'unknown');
  let verdict: HealthVerdict = 'unknown';
  known.forEach((_, i) => {
    const endsWith = (result: HealthVerdict, count: number) =>
      i + 1 >= count && known.slice(i + 1 - count, i + 1).every((one) => one === result);
    if (verdict !== 'up' && endsWith('up', verdict === 'unknown' ? 1 : rise)) verdict = 'up';
    else if (verdict !== 'down' && endsWith('down', fall)) verdict = 'down';
  });
  return verdict;
}
