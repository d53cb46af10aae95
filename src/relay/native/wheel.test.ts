// The wheel against a plain list of times: never early, at most a tick late, never lost, whatever is set and cancelled.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Timed, tickMs, Wheel } from './wheel.ts';

interface Probe extends Timed {
  expired: number[];
}

function probe(onExpire?: (now: number) => void): Probe {
  const expired: number[] = [];
  return {
    due: 0,
    before: null,
    after: null,
    expired,
    expire(now) {
      expired.push(now);
      onExpire?.(now);
    },
  };
}

it('is neither early nor more than a tick late, and forgets nothing', () => {
  const step = fc.oneof(
    fc.record({
      do: fc.constant('set' as const),
      who: fc.nat(9),
      in: fc.integer({ min: -50, max: 200_000 }),
    }),
    fc.record({ do: fc.constant('cancel' as const), who: fc.nat(9) }),
    fc.record({ do: fc.constant('pass' as const), by: fc.integer({ min: 0, max: 100_000 }) }),
  );
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1e9 }), fc.array(step, { maxLength: 50 }), (start, steps) => {
      const wheel = new Wheel(start);
      const all = Array.from({ length: 10 }, () => probe());
      const due = new Map<Probe, number>();
      let now = start;
      for (const each of steps) {
        if (each.do === 'set') {
          wheel.set(all[each.who]!, now + each.in);
          due.set(all[each.who]!, now + each.in);
        } else if (each.do === 'cancel') {
          wheel.cancel(all[each.who]!);
          due.delete(all[each.who]!);
        } else {
          now += each.by;
          const before = all.map(({ expired }) => expired.length);
          wheel.advance(now);
          all.forEach((one, i) => {
            const at = due.get(one);
            const count = one.expired.length - before[i]!;
            if (at === undefined || at > now) expect(count).toBe(0);
            else if (at <= now - 2 * tickMs) expect(count).toBe(1);
            if (count > 0) due.delete(one);
          });
        }
      }
      wheel.advance(now + 400_000);
      for (const [one] of due) expect(one.expired.at(-1)).toBe(now + 400_000);
    }),
  );
});

it('lets what expires cancel others of the same moment, and set itself anew', () => {
  const wheel = new Wheel(0);
  const other = probe();
  const again: Probe = probe((now) => {
    wheel.cancel(other);
    if (again.expired.length < 3) wheel.set(again, now + 100);
  });
  // The one that was set last comes first.
  wheel.set(other, 100);
  wheel.set(again, 100);
  for (let now = 0; now <= 1000; now += 10) wheel.advance(now);
  expect(other.expired).toEqual([]);
  expect(again.expired).toHaveLength(3);
});

it('says how long one may sleep', () => {
  const wheel = new Wheel(1000);
  expect(wheel.wait(1000, 60_000)).toBe(60_000);
  wheel.set(probe(), 1500);
  const wait = wheel.wait(1000, 60_000);
  expect(wait).toBeGreaterThanOrEqual(500);
  expect(wait).toBeLessThanOrEqual(500 + 2 * tickMs);
  expect(wheel.wait(1000, 100)).toBe(100);
});
