// How long maintenance shall last, as a person writes it.
import { expect, test } from 'vitest';
import { hour, msFor, msUntil } from './maintenance.ts';

test('durations are those of reeve maintain, up to 30 days', () => {
  expect(['15m', '1h', ' 2h 30m ', '30d'].map(msFor)).toEqual([hour / 4, hour, 2.5 * hour, 720 * hour]);
  expect(['', '90', 'soon', '0s', '-1h', '31d', '1h x'].map(msFor)).toEqual(Array(7).fill(null));
});

test('a date counts from now, and must be ahead', () => {
  const now = Date.parse('2026-03-01T12:00');
  expect(msUntil('2026-03-01T12:45', now)).toBe(0.75 * hour);
  expect(
    ['', '2026-03-01T12:00', '2026-02-01T12:00', '2026-04-01T12:00', 'x'].map((text) => msUntil(text, now)),
  ).toEqual(Array(5).fill(null));
});
