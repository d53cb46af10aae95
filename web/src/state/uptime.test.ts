// Uptime bars: each tells its own part of the time, and what nobody saw is told as unknown.
import { expect, test } from 'vitest';
import { barsOf } from './uptime.ts';

const history = (at: number[], values: (number | null)[]) => ({
  ...{ step: 60, fields: ['up'], at },
  series: { 'check/db': values.map((value) => [value]) },
});

test('each bar is the mean of its own time', () => {
  const bars = barsOf(history([100, 110, 130, 190], [1, 0, 1, 1]), 'check/db', 200, 100, 5);
  expect(bars.map(({ up }) => up)).toEqual([0.5, 1, null, null, 1]);
  expect(bars.map(({ from }) => from)).toEqual([100, 120, 140, 160, 180]);
});

test('what was not known, and what lies outside, counts for nothing', () => {
  const bars = barsOf(history([90, 150, 160, 250], [0, null, 1, 0]), 'check/db', 200, 100, 2);
  expect(bars.map(({ up }) => up)).toEqual([null, 1]);
  expect(barsOf(history([], []), 'check/none', 200, 100, 2).map(({ up }) => up)).toEqual([null, null]);
});
