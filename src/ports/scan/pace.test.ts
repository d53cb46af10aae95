// The pace of a scan: never more than the rate allows, whenever it is asked; and no less.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createPace } from './pace.ts';
import { createTiming } from './timing.ts';

function clockAt(state: { now: number }) {
  return { monotonic: () => state.now, wall: () => state.now };
}

it('lets no more out than the rate and its short burst allow', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5000 }),
      fc.array(fc.tuple(fc.double({ min: 0, max: 200, noNaN: true }), fc.nat(300)), { maxLength: 50 }),
      (count, steps) => {
        const state = { now: 1000 };
        const pace = createPace({ count, perMs: 1000 }, clockAt(state));
        let sent = 0;
        for (const [pause, tries] of steps) {
          state.now += pause;
          for (let i = 0; i < tries; i++) if (pace.take()) sent += 1;
          const allowed = Math.max(1, Math.floor(count / 20)) + ((state.now - 1000) * count) / 1000;
          expect(sent).toBeLessThanOrEqual(allowed + 1e-6);
        }
      },
    ),
  );
});

it('lets out what the rate promises to who waits as long as it says', () => {
  const state = { now: 0 };
  const pace = createPace({ count: 250, perMs: 1000 }, clockAt(state));
  let sent = 0;
  while (sent < 1000) {
    if (pace.take()) sent += 1;
    else state.now += Math.max(0.001, pace.waitMs());
  }
  expect(state.now).toBeGreaterThan(3950);
  expect(state.now).toBeLessThan(4010);
});

it('knows no limit where there is no rate', () => {
  const pace = createPace(null, clockAt({ now: 0 }));
  expect(Array.from({ length: 1e5 }, () => pace.take()).every(Boolean)).toBe(true);
  expect(pace.waitMs()).toBe(0);
});

it('waits as long as it may while nothing is known, then as RFC 6298 has it', () => {
  const timing = createTiming(5000);
  expect(timing.timeoutMs(0)).toBe(5000);
  timing.measured(300);
  // The first measurement: 300 + 4 · 150.
  expect(timing.timeoutMs(0)).toBe(900);
  timing.measured(500);
  // RTTVAR = ¾·150 + ¼·|300 − 500| = 162.5, SRTT = ⅞·300 + ⅛·500 = 325.
  expect(timing.timeoutMs(0)).toBe(325 + 4 * 162.5);
  expect(timing.timeoutMs(1)).toBe(2 * 975);
  expect(timing.timeoutMs(9)).toBe(5000);
});

it('never waits less than a busy machine needs, nor longer than it was told', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 1e5, noNaN: true })), fc.nat(5), (measured, attempt) => {
      const timing = createTiming(1000);
      for (const ms of measured) timing.measured(ms);
      expect(timing.timeoutMs(attempt)).toBeGreaterThanOrEqual(200);
      expect(timing.timeoutMs(attempt)).toBeLessThanOrEqual(1000);
    }),
  );
});
