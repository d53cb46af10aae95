// Delays after failures, and what counts as a crash loop.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { afterFailure, healthyAfter, noFailures, type Retry } from './retry.ts';

const policy = { backoff: { min: 500, max: 60_000 }, limit: { count: 10, perMs: 60_000 } };
const longest = () => 1;
const shortest = () => 0;

/** Fails at these times. */
function fail(times: number[], healthyFor = 0, restart = policy, random = longest) {
  let retry: Retry = noFailures;
  return times.map((now) => {
    const next = afterFailure(retry, healthyFor, now, restart, random);
    retry = next.retry;
    return next;
  });
}

test('delays double from the minimum up to the maximum, with as much again at random', () => {
  const times = Array.from({ length: 9 }, (_, i) => i * 100_000);
  const delays = (random: () => number) => fail(times, 0, policy, random).map(({ delay }) => delay);
  expect(delays(shortest)).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 54_000, 54_000]);
  expect(delays(longest)).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  const fixed = { ...policy, backoff: { min: 200, max: 200 } };
  expect(fail([0], 0, fixed, shortest)[0]!.delay).toBe(200);
});

test('half a minute of health makes it start anew', () => {
  const [, , third] = fail([0, 1, 2]);
  const again = (healthyFor: number) =>
    afterFailure(third!.retry, healthyFor, 100_000, policy, longest).delay;
  expect(again(healthyAfter - 1)).toBe(8000);
  expect(again(healthyAfter)).toBe(1000);
});

test('more failures than the limit within its time are a crash loop, which is entered once', () => {
  const steps = fail(
    Array.from({ length: 14 }, (_, i) => i * 100),
    0,
    { ...policy, backoff: { min: 10, max: 60_000 } },
  );
  expect(steps.map(({ enteredLoop }) => enteredLoop).indexOf(true)).toBe(10);
  expect(steps.filter(({ enteredLoop }) => enteredLoop)).toHaveLength(1);
  expect(steps.slice(10).map(({ delay }) => delay)).toEqual([60_000, 60_000, 60_000, 60_000]);
});

test('as many failures as the limit are none, and old ones do not count', () => {
  const times = Array.from({ length: 50 }, (_, i) => i * 6000);
  const slowly = fail(times, 0, { ...policy, backoff: { min: 1, max: 2 ** 50 } });
  expect(slowly.some(({ retry }) => retry.looping)).toBe(false);
});

test('a delay that cannot grow any more is a crash loop too, unless it is among the first', () => {
  const times = Array.from({ length: 9 }, (_, i) => i * 100_000);
  const firstLoop = (backoff: typeof policy.backoff) =>
    fail(times, 0, { ...policy, backoff }).findIndex(({ enteredLoop }) => enteredLoop);
  expect(firstLoop(policy.backoff)).toBe(7);
  expect(firstLoop({ min: 5000, max: 5000 })).toBe(4);
});

test('a crash loop lasts until a long healthy run, though its slow starts are within the limit', () => {
  const looping = fail(Array.from({ length: 11 }, (_, i) => i)).at(-1)!.retry;
  const later = afterFailure(looping, 0, 1_000_000, policy, longest);
  expect(later.retry.looping).toBe(true);
  expect(afterFailure(later.retry, healthyAfter, 2_000_000, policy, longest).retry.looping).toBe(false);
});

test('the delay is always between the minimum and the maximum, and the memory of failures is bounded', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(5000), fc.nat(60_000)), { maxLength: 100 }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (failures, chance) => {
        let retry = noFailures;
        let now = 0;
        for (const [pause, healthyFor] of failures) {
          now += pause;
          const next = afterFailure(retry, healthyFor, now, policy, () => chance);
          retry = next.retry;
          expect(next.delay).toBeGreaterThanOrEqual(500);
          expect(next.delay).toBeLessThanOrEqual(60_000);
          expect(retry.recent.length).toBeLessThanOrEqual(11);
        }
      },
    ),
  );
});
