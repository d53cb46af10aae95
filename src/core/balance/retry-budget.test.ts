// The retry budget: never more at once than its share of what is open, or its least.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RetryBudget } from './retry-budget.ts';

describe('a retry budget', () => {
  it('lets begin only where there is room, whatever begins, ends, opens and closes', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 100 }),
        fc.integer({ min: 0, max: 10 }),
        fc.array(fc.oneof(fc.constantFrom('begin', 'end'), fc.integer({ min: 0, max: 200 })), {
          maxLength: 200,
        }),
        (percent, least, steps) => {
          let open = 0;
          let retrying = 0;
          const budget = new RetryBudget({ percent, least }, () => open);
          for (const step of steps) {
            if (typeof step === 'number') open = step;
            else if (step === 'end') {
              if (retrying > 0) budget.end();
              retrying = Math.max(0, retrying - 1);
            } else {
              const room = retrying < Math.max(least, Math.floor((open * percent) / 100));
              expect(budget.begin()).toBe(room);
              if (room) retrying += 1;
            }
          }
        },
      ),
    );
  });
});
