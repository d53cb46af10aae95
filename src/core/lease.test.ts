// The rules of leases: a port passes on only when its lease is over, a name keeps its ports, blocks stay together.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aheadMs, choosePorts, endOf, type LeaseOwner, mayPass, type Tenure } from './lease.ts';

const owner: LeaseOwner = { host: 'here', pid: 1, start: '1@boot', startedAt: null };
const nobodyGone = () => false;
const time = fc.integer({ min: 0, max: 200_000 });
const tenure = fc.record({
  name: fc.constantFrom('a', 'b', null),
  owner: fc.constant(owner),
  renewedAt: time,
  endsAt: time,
  endedAt: fc.option(time),
}) satisfies fc.Arbitrary<Tenure>;

describe('the end of a lease', () => {
  const going: Tenure = { name: 'a', owner, renewedAt: 1000, endsAt: 2000, endedAt: null };

  it('comes by time, by the end of its owner, or by a word', () => {
    expect(endOf(going, 1999, nobodyGone)).toBeNull();
    expect(endOf(going, 2000, nobodyGone)).toBe(2000);
    expect(endOf(going, 9000, nobodyGone)).toBe(2000);
    expect(endOf(going, 1500, () => true)).toBe(1500);
    expect(endOf({ ...going, endedAt: 1200 }, 1500, nobodyGone)).toBe(1200);
  });

  it('was long ago for what is from before the last boot', () => {
    const before = { ...going, renewedAt: aheadMs + 1, endsAt: aheadMs + 1000 };
    expect(endOf(before, 0, nobodyGone)).toBe(Number.NEGATIVE_INFINITY);
    expect(mayPass(before, { name: 'b', now: 0, quarantineMs: 30_000 }, nobodyGone)).toBe(true);
    expect(endOf({ ...before, endedAt: aheadMs + 500 }, 0, nobodyGone)).toBe(Number.NEGATIVE_INFINITY);
  });

  it('does not come because another process wrote a moment later than this one looked', () => {
    expect(endOf(going, 999, nobodyGone)).toBeNull();
    expect(mayPass({ ...going, endedAt: 1001 }, { name: 'b', now: 1000, quarantineMs: 10 }, nobodyGone)).toBe(
      false,
    );
  });

  it('lets no port pass while the lease goes on, whoever asks', () => {
    fc.assert(
      fc.property(tenure, time, fc.constantFrom('a', 'b', 'c'), time, (each, now, name, quarantineMs) => {
        const passes = mayPass(each, { name, now, quarantineMs }, nobodyGone);
        const goesOn = each.endedAt === null && each.renewedAt <= now + aheadMs && now < each.endsAt;
        if (goesOn) expect(passes).toBe(false);
        else if (name === each.name) expect(passes).toBe(true);
      }),
    );
  });

  it('keeps a port from other names until the quarantine is over, and never after', () => {
    fc.assert(
      fc.property(tenure, time, time, (each, now, quarantineMs) => {
        const end = endOf(each, now, nobodyGone);
        fc.pre(end !== null);
        const passes = mayPass(each, { name: 'c', now, quarantineMs }, nobodyGone);
        expect(passes).toBe(now >= end! + quarantineMs);
        expect(
          mayPass(each, { name: 'c', now: Math.max(now, end! + quarantineMs), quarantineMs }, nobodyGone),
        ).toBe(true);
      }),
    );
  });
});

describe('the choice of ports', () => {
  const choose = (count: number, homes: number[], unused: number[], oldest: number[] = []) =>
    choosePorts(count, { homes, unused: () => unused, oldest: () => oldest });

  it.each([
    ['the first home first', 1, [30, 20], [10], [40], [30]],
    ['then the lowest that nobody had', 1, [], [10, 11], [40], [10]],
    ['then the one that rested longest', 1, [], [], [40, 12], [40]],
    ['homes, and new ones for the rest', 3, [30], [10, 11], [], [30, 10, 11]],
    ['new ones in a row', 3, [], [10, 12, 13, 14], [], [12, 13, 14]],
    ['in a row among rested ones too', 2, [], [10], [9, 30], [9, 10]],
    ['scattered where no row is left', 3, [], [10, 12], [40], [10, 12, 40]],
    ['none where there are too few', 3, [30], [10], [], null],
  ])('%s', (_, count, homes, unused, oldest, expected) => {
    expect(choose(count, homes, unused, oldest)).toEqual(expected);
  });

  it('never gives one port twice, nor one that was not offered', () => {
    const ports = fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { maxLength: 40 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10 }), ports, fc.nat(40), fc.nat(40), (count, all, a, b) => {
        const homes = all.slice(0, a);
        const unused = all.slice(a, a + b).sort((x, y) => x - y);
        const chosen = choose(count, homes, unused, all.slice(a + b));
        if (all.length < count) {
          expect(chosen).toBeNull();
          return;
        }
        expect(chosen).toHaveLength(count);
        expect(new Set(chosen).size).toBe(count);
        for (const port of chosen!) expect(all).toContain(port);
      }),
    );
  });
});
