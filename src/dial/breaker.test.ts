// The breaker: opens after failures in a row, lets one probe through, and never stays stuck.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Breaker, type BreakerState } from './breaker.ts';

const rules = { failures: 5, openMs: 100, longestMs: 400, probeMs: 50 };

function opened(): { breaker: Breaker; states: BreakerState[] } {
  const states: BreakerState[] = [];
  const breaker = new Breaker(rules, (state) => states.push(state));
  for (let i = 0; i < rules.failures; i++) breaker.failed(breaker.begin(0), 0);
  return { breaker, states };
}

describe('a breaker', () => {
  it('opens after so many failures in a row, and not before', () => {
    const breaker = new Breaker(rules);
    for (let i = 0; i < 4; i++) breaker.failed(breaker.begin(0), 0);
    breaker.succeeded(breaker.begin(0));
    for (let i = 0; i < 4; i++) breaker.failed(breaker.begin(0), 0);
    expect(breaker.allows(0)).toBe(true);
    breaker.failed(breaker.begin(0), 0);
    expect(breaker.allows(99)).toBe(false);
    expect(breaker.readyAt(0)).toBe(100);
    expect(breaker.allows(100)).toBe(true);
  });

  it('lets one through to probe, and closes when that succeeds', () => {
    const { breaker, states } = opened();
    const probe = breaker.begin(100);
    expect(breaker.allows(100)).toBe(false);
    breaker.succeeded(probe);
    expect(breaker.allows(100)).toBe(true);
    expect(states.map(({ kind }) => kind)).toEqual(['open', 'half-open', 'closed']);
  });

  it('takes a probe that never ends for one that failed, and waits longer each time', () => {
    const { breaker } = opened();
    breaker.begin(100);
    expect(breaker.allows(149)).toBe(false);
    expect(breaker.readyAt(150)).toBe(350);
    breaker.begin(350);
    expect(breaker.readyAt(400)).toBe(800);
    breaker.begin(800);
    expect(breaker.readyAt(850)).toBe(1250);
  });

  it('lets another probe in place of one that was called off', () => {
    const { breaker } = opened();
    breaker.calledOff(breaker.begin(100), 110);
    expect(breaker.allows(110)).toBe(true);
  });

  it('is not moved by what comes after its state has: neither by late failures nor by late successes', () => {
    const { breaker } = opened();
    const late = 0;
    breaker.succeeded(late);
    expect(breaker.state.kind).toBe('open');
    breaker.succeeded(breaker.begin(100));
    for (let i = 0; i < 10; i++) breaker.failed(late, 120);
    expect(breaker.state).toEqual({ kind: 'closed', streak: 0 });
  });
});

describe('whatever happens, in whatever order', () => {
  const step = fc.record({
    does: fc.constantFrom('begin', 'succeeded', 'failed', 'calledOff' as const),
    after: fc.integer({ min: 0, max: 120 }),
    which: fc.nat(),
  });

  it('one probe at a time, never longer open than the longest, and it always comes to let one through', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let now = 0;
        const kinds: string[] = ['closed'];
        const breaker = new Breaker(rules, (state) => kinds.push(state.kind));
        const passes: number[] = [];
        for (const { does, after, which } of steps) {
          now += after;
          const allowed = breaker.allows(now);
          const before = breaker.state.kind;
          if (does === 'begin') {
            if (!allowed) continue;
            passes.push(breaker.begin(now));
            // Whoever comes while the probe is out is not let through.
            if (before !== 'closed') expect(breaker.allows(now)).toBe(false);
          } else if (passes.length > 0) {
            const [pass] = passes.splice(which % passes.length, 1);
            if (does === 'succeeded') breaker.succeeded(pass!);
            else breaker[does](pass!, now);
          }
          expect(breaker.readyAt(now) - now).toBeLessThanOrEqual(Math.max(rules.longestMs, rules.probeMs));
        }
        // Closed is left for open alone, open for half-open alone.
        for (let i = 1; i < kinds.length; i++) {
          if (kinds[i - 1] === 'closed') expect(kinds[i]).toBe('open');
          if (kinds[i - 1] === 'open') expect(kinds[i]).toBe('half-open');
        }
        expect(breaker.allows(now + rules.probeMs + 2 * rules.longestMs)).toBe(true);
      }),
    );
  });
});
