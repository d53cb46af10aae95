// Alerts and flapping under any order of events.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type HealthState, initialHealth, stepHealth } from '../core/health.ts';
import type { HealthVerdict } from '../core/verdict.ts';
import { type Act, type AlertState, calm, type Hold, stepAlert } from './alert.ts';
import { type FlapState, steady, stepFlap } from './flap.ts';

const verdicts = fc.constantFrom<HealthVerdict>('up', 'down', 'unknown');
const holds = fc.constantFrom<Hold | null>(
  null,
  null,
  null,
  'maintenance',
  'flapping',
  'dependency',
  'asking',
);
const moment = fc.record({ result: verdicts, hold: holds, wait: fc.nat(5000) });
const story = fc.array(moment, { maxLength: 80 });
const limits = { fall: 3, rise: 2 };

interface Seen {
  act: Act | null;
  heldBack: Act | null;
  hold: Hold | null;
  verdict: HealthVerdict;
  now: number;
}

function play(moments: { result: HealthVerdict; hold: Hold | null; wait: number }[], repeat: number | null) {
  let health: HealthState = initialHealth;
  let state: AlertState = calm;
  let now = 1_000_000;
  const seen: Seen[] = [];
  for (const { result, hold, wait } of moments) {
    now += wait;
    health = stepHealth(health, result, limits);
    const step = stepAlert(state, { verdict: health.verdict, result, fall: 3, hold, repeat, now });
    state = step.state;
    seen.push({ act: step.act, heldBack: step.heldBack, hold, verdict: health.verdict, now });
  }
  return { seen, state };
}

describe('alerts', () => {
  test('down and up are told in turn, each only while it is so, and never while held', () => {
    fc.assert(
      fc.property(story, (moments) => {
        const { seen, state } = play(moments, null);
        const acts = seen.filter(({ act }) => act !== null);
        acts.forEach(({ act, verdict, hold }, n) => {
          expect(act).toBe(n % 2 === 0 ? 'down' : 'up');
          expect(verdict).toBe(act);
          if (act === 'down') expect(hold).toBe(null);
          else expect(hold).not.toBe('maintenance');
        });
        expect(state.told).toBe(acts.at(-1)?.act === 'down' ? 'down' : 'up');
        expect(state.failures).toBeLessThanOrEqual(3);
      }),
      { numRuns: 1000 },
    );
  });

  test('nobody is told of a down whose last three failures were not free of a dependency', () => {
    fc.assert(
      fc.property(story, (moments) => {
        const { seen } = play(moments, null);
        seen.forEach(({ act }, at) => {
          if (act !== 'down') return;
          const known = moments.slice(0, at + 1).filter(({ result }) => result !== 'unknown');
          const last = known.slice(-3);
          expect(last).toHaveLength(3);
          for (const { result, hold } of last) {
            expect(result).toBe('down');
            expect(hold).not.toBe('dependency');
          }
        });
      }),
      { numRuns: 1000 },
    );
  });

  test('what is still down when nothing holds it any more is told, at the latest after a full run', () => {
    fc.assert(
      fc.property(story, (moments) => {
        const failing = Array.from({ length: 6 }, () => ({
          result: 'down' as const,
          hold: null,
          wait: 1000,
        }));
        expect(play([...moments, ...failing], null).state.told).toBe('down');
      }),
    );
  });

  test('repeats keep their distance', () => {
    fc.assert(
      fc.property(story, (moments) => {
        const { seen } = play(moments, 7000);
        const times = seen
          .filter(({ act }) => act === 'down' || act === 'repeat')
          .map(({ act, now }) => ({ act, now }));
        times.forEach(({ act, now }, n) => {
          if (act === 'repeat') expect(now - times[n - 1]!.now).toBeGreaterThanOrEqual(7000);
        });
      }),
      { numRuns: 1000 },
    );
  });

  test('a suppressed down is shown as held back, and recovers without a word', () => {
    const down = { result: 'down' as const, hold: 'dependency' as const, wait: 1 };
    const up = { result: 'up' as const, hold: null, wait: 1 };
    const { seen } = play([up, down, down, down, down, up, up], null);
    expect(seen.map(({ heldBack }) => heldBack)).toEqual(
      [null, null, null, 'down', 'down', 'down', null].map(
        // The first success leaves the verdict down, and nothing holds it any more.
        (value, n) => (n === 5 ? null : value),
      ),
    );
    expect(seen.every(({ act }) => act === null)).toBe(true);
  });
});

describe('flapping', () => {
  const rate = { count: 4, perMs: 10_000 };
  const steps = fc.array(fc.record({ changed: fc.boolean(), wait: fc.integer({ min: -2000, max: 6000 }) }), {
    maxLength: 100,
  });

  test('it begins only with more changes than allowed within the time, ends only after a quiet time, and is bounded', () => {
    fc.assert(
      fc.property(steps, (list) => {
        let state: FlapState = steady;
        let now = 1_000_000;
        const changes: number[] = [];
        for (const { changed, wait } of list) {
          now += wait;
          const next = stepFlap(state, changed, now, rate);
          if (changed) changes.push(now);
          if (next.flapping && !state.flapping) {
            expect(changes.filter((at) => at <= now && now - at < rate.perMs).length).toBeGreaterThan(
              rate.count,
            );
          }
          if (state.flapping && !next.flapping) {
            expect(next.changes).toEqual([]);
            expect(changed).toBe(false);
          }
          expect(next.changes.length).toBeLessThanOrEqual(rate.count + 1);
          state = next;
        }
        expect(stepFlap(state, false, now + rate.perMs + 20_000, rate).flapping).toBe(false);
      }),
      { numRuns: 1000 },
    );
  });

  test('five changes within the time are flapping, four are not', () => {
    const stateAfter = (count: number) =>
      Array.from({ length: count }).reduce<FlapState>(
        (state, _, n) => stepFlap(state, true, 1000 * n, rate),
        steady,
      );
    expect([stateAfter(4).flapping, stateAfter(5).flapping]).toEqual([false, true]);
  });
});
