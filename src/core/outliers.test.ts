// Ejection: after so many failures in a row, for longer each time, never the last, whatever happens in whatever order.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Outliers } from './outliers.ts';

const rules = { failures: 5, for: 30_000, longest: 300_000 };

it('ejects after five failures in a row, and a success in between starts anew', () => {
  const outliers = new Outliers(rules);
  const fail = (count: number) =>
    Array.from({ length: count }, () => outliers.failed('a', 'ECONNREFUSED', ['a', 'b'], 0));
  expect(fail(4)).toEqual([null, null, null, null]);
  outliers.took('a');
  expect(fail(5)).toEqual([null, null, null, null, 30_000]);
  expect(outliers.isEjected('a')).toBe(true);
});

it('ejects for longer each time up to the longest, and forgets that after as long without one', () => {
  const outliers = new Outliers({ failures: 1, for: 30_000, longest: 100_000 });
  let now = 0;
  const round = () => {
    const length = outliers.failed('a', 'ECONNREFUSED', ['b'], now)!;
    now += length;
    expect(outliers.returning(now - 1)).toEqual([]);
    expect(outliers.returning(now)).toEqual(['a']);
    return length;
  };
  expect([round(), round(), round(), round(), round()]).toEqual([30_000, 60_000, 90_000, 100_000, 100_000]);
  now += 100_000;
  expect(round()).toBe(30_000);
});

it('does not blame a target for what this machine lacks', () => {
  const outliers = new Outliers({ ...rules, failures: 1 });
  for (const code of ['EMFILE', 'EADDRNOTAVAIL', 'ENOBUFS'])
    expect(outliers.failed('a', code, ['b'], 0)).toBeNull();
});

it('keeps its promises whatever happens', () => {
  const ids = ['a', 'b', 'c'];
  const step = fc.oneof(
    fc.record({ what: fc.constant('failed' as const), id: fc.constantFrom(...ids) }),
    fc.record({ what: fc.constant('took' as const), id: fc.constantFrom(...ids) }),
    fc.record({ what: fc.constant('wait' as const), ms: fc.nat(100_000) }),
    fc.record({ what: fc.constant('usable' as const), ids: fc.subarray(ids) }),
  );
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), fc.array(step, { maxLength: 150 }), (failures, steps) => {
      const outliers = new Outliers({ ...rules, failures });
      const streaks = new Map(ids.map((id) => [id, 0]));
      let now = 0;
      let usable = ids;
      for (const each of steps) {
        if (each.what === 'wait') now += each.ms;
        else if (each.what === 'usable') usable = each.ids;
        else if (each.what === 'took') {
          streaks.set(each.id, 0);
          outliers.took(each.id);
        } else {
          const wasOut = outliers.isEjected(each.id);
          const length = outliers.failed(each.id, 'ECONNREFUSED', usable, now);
          if (!wasOut) streaks.set(each.id, streaks.get(each.id)! + 1);
          if (length !== null) {
            expect(wasOut).toBe(false);
            expect(streaks.get(each.id)).toBeGreaterThanOrEqual(failures);
            expect(length).toBe(Math.min(300_000, 30_000 * outliers.ejections(each.id)));
            // Somebody who may be used is left.
            expect(usable.some((id) => id !== each.id && !outliers.isEjected(id))).toBe(true);
            streaks.set(each.id, 0);
          }
        }
        for (const id of outliers.returning(now)) expect(outliers.isEjected(id)).toBe(false);
        for (const id of ids) expect(outliers.until(id) ?? Number.POSITIVE_INFINITY).toBeGreaterThan(now);
        const out = ids.map((id) => outliers.until(id)).filter((until) => until !== null);
        expect(outliers.nextReturn()).toBe(out.length === 0 ? null : Math.min(...out));
      }
    }),
  );
});
