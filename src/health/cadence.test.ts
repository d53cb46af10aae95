// When a check is due next.
import { expect, test } from 'vitest';
import { type CheckTiming, delayAfter, firstDelay } from './cadence.ts';

const timing: CheckTiming = { interval: 5000, timeout: 3000, fall: 3, rise: 2, fastInterval: 1000 };
const middle = () => 0.5;

test('a settled check waits its interval, give or take a tenth', () => {
  const up = { verdict: 'up', streak: 0 } as const;
  expect(delayAfter(up, null, timing, () => 0)).toBeCloseTo(4500);
  expect(delayAfter(up, null, timing, middle)).toBeCloseTo(5000);
  expect(delayAfter(up, null, timing, () => 1)).toBeCloseTo(5500);
});

test('a check whose results disagree with its verdict, or that has none yet, goes faster', () => {
  expect(delayAfter({ verdict: 'up', streak: 1 }, null, timing, middle)).toBe(1000);
  expect(delayAfter({ verdict: 'down', streak: 1 }, null, timing, middle)).toBe(1000);
  expect(delayAfter({ verdict: 'unknown', streak: 0 }, null, timing, middle)).toBe(1000);
});

test('fast is never slower than the interval', () => {
  const often = { ...timing, interval: 300 };
  expect(delayAfter({ verdict: 'up', streak: 1 }, null, often, middle)).toBe(300);
});

test('something that starts is asked after 100 ms, then ever less often, down to the fast interval', () => {
  const unknown = { verdict: 'unknown', streak: 0 } as const;
  const delays = [0, 1, 2, 5, 6, 1000].map((tries) => delayAfter(unknown, tries, timing, middle));
  expect(delays).toEqual([100, 150, 225, 759.375, 1000, 1000]);
});

test('first probes are spread over a second, or over a shorter interval', () => {
  expect(firstDelay(timing, middle)).toBe(500);
  expect(firstDelay({ ...timing, interval: 200 }, middle)).toBe(100);
});
