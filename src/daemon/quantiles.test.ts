// Quantiles of the last minute beside the exact ones, and that what is older counts no more.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createQuantiles } from './quantiles.ts';

test('they agree with the exact ones to the width of a bucket', () => {
  const times = fc.array(fc.double({ min: 0.002, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 300 });
  fc.assert(
    fc.property(times, (list) => {
      const window = createQuantiles(() => 0);
      for (const ms of list) window.observe(ms);
      const sorted = [...list].sort((a, b) => a - b);
      const exact = (q: number) => sorted[Math.max(0, Math.ceil(sorted.length * q) - 1)]!;
      const { p50, p99 } = window.read();
      for (const [found, wanted] of [
        [p50!, exact(0.5)],
        [p99!, exact(0.99)],
      ] as const) {
        expect(found / wanted).toBeGreaterThan(0.93);
        expect(found / wanted).toBeLessThan(1.07);
      }
    }),
  );
});

test('a minute later nothing is left of it', () => {
  let now = 5_000;
  const window = createQuantiles(() => now);
  expect(window.read()).toEqual({ p50: null, p99: null });
  window.observe(10);
  now = 59_000;
  expect(window.read().p50).toBeCloseTo(10.5, 5);
  now = 70_000;
  expect(window.read()).toEqual({ p50: null, p99: null });
});
