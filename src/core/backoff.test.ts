// Backoff: bounds, growth and jitter for any attempt and any chance.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backoffDelay } from './backoff.ts';

const range = fc
  .tuple(fc.integer({ min: 1, max: 1e6 }), fc.nat(1e9))
  .map(([min, more]) => ({ min, max: min + more }));
const attempt = fc.oneof(fc.nat(40), fc.nat(Number.MAX_SAFE_INTEGER));
const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('backoffDelay', () => {
  it('lies between half and all of min(min · 2ⁿ, max)', () => {
    fc.assert(
      fc.property(range, attempt, chance, (limits, n, x) => {
        const delay = backoffDelay(limits, n, () => x);
        expect(delay).toBeGreaterThanOrEqual(limits.min / 2);
        expect(delay).toBeLessThanOrEqual(limits.max);
        if (n < 30) expect(delay).toBeLessThanOrEqual(limits.min * 2 ** n);
      }),
    );
  });
  it('never shrinks from one attempt to the next at the same chance', () => {
    fc.assert(
      fc.property(range, fc.nat(60), chance, (limits, n, x) => {
        expect(backoffDelay(limits, n + 1, () => x)).toBeGreaterThanOrEqual(backoffDelay(limits, n, () => x));
      }),
    );
  });
  it('doubles: 500ms, 1s, 2s, … 60s without luck', () => {
    const delays = [0, 1, 2, 3, 10].map((n) => backoffDelay({ min: 500, max: 60_000 }, n, () => 0));
    expect(delays).toEqual([250, 500, 1000, 2000, 30_000]);
  });
});
