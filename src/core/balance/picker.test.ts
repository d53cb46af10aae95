// Picking targets: proportions, tiers, exclusions, and books that balance.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Picker } from './picker.ts';
import type { Target } from './target.ts';

const make = (id: string, settings: Partial<Target> = {}): Target => ({
  id,
  host: '127.0.0.1',
  port: 1,
  weight: 1,
  backup: false,
  verdict: 'up',
  draining: false,
  max: null,
  ...settings,
});

const idOf = (taken: Target | 'full' | null) => (taken === 'full' ? 'full' : taken?.id);
const take = (picker: Picker, count: number) => Array.from({ length: count }, () => idOf(picker.take(null)));

describe('round-robin', () => {
  it('spreads a heavy target evenly instead of in bursts', () => {
    const picker = new Picker('round-robin', [make('a', { weight: 5 }), make('b'), make('c')]);
    expect(take(picker, 7)).toEqual(['a', 'a', 'b', 'a', 'c', 'a', 'a']);
  });

  it('chooses each exactly as often as its weight says, round after round', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 8 }), (weights) => {
        const picker = new Picker(
          'round-robin',
          weights.map((weight, i) => make(String(i), { weight })),
        );
        const sum = weights.reduce((a, b) => a + b, 0);
        for (let round = 1; round <= 3; round++) {
          take(picker, sum);
          expect(picker.counters().map(({ total }) => total)).toEqual(weights.map((w) => w * round));
        }
      }),
    );
  });

  it('stays in proportion within one connection at every moment between two equals', () => {
    const picker = new Picker('round-robin', [make('a'), make('b')]);
    expect(take(picker, 6)).toEqual(['a', 'b', 'a', 'b', 'a', 'b']);
  });
});

describe('least-connections', () => {
  it('never leaves a target more than one connection per weight ahead of another', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 2, maxLength: 5 }),
        fc.integer({ min: 1, max: 60 }),
        (weights, count) => {
          const targets = weights.map((weight, i) => make(String(i), { weight }));
          const picker = new Picker('least-connections', targets);
          take(picker, count);
          const active = picker.counters().map(({ active }) => active);
          const least = Math.min(...active.map((n, i) => n / weights[i]!));
          // Whoever got the last one was the least loaded before it.
          for (const [i, n] of active.entries())
            if (n > 0) expect((n - 1) / weights[i]!).toBeLessThanOrEqual(least);
        },
      ),
    );
  });

  it('gives the next connection to the target that one has just left', () => {
    const picker = new Picker('least-connections', [make('a'), make('b'), make('c')]);
    take(picker, 6);
    picker.leave('b');
    expect(take(picker, 1)).toEqual(['b']);
  });
});

describe('random', () => {
  it('takes the less loaded of two that it draws', () => {
    const targets = [make('a'), make('b')];
    const picker = new Picker('random', targets, { random: () => 0 });
    expect(take(picker, 4).sort()).toEqual(['a', 'a', 'b', 'b']);
  });

  it('gives each about its weight, and never leaves the least loaded far behind', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 10 }), { minLength: 1, maxLength: 6 }),
        fc.noShrink(fc.infiniteStream(fc.double({ min: 0, max: 0.999999, noNaN: true }))),
        (weights, chances) => {
          const targets = weights.map((weight, i) => make(String(i), { weight }));
          const picker = new Picker('random', targets, { random: () => chances.next().value });
          take(picker, 200);
          expect(picker.counters().reduce((sum, { total }) => sum + total, 0)).toBe(200);
        },
      ),
      { numRuns: 50 },
    );
    let state = 1;
    const random = () => {
      state = (state * 48_271) % 2_147_483_647;
      return state / 2_147_483_647;
    };
    const picker = new Picker('random', [make('a', { weight: 3 }), make('b'), make('c')], { random });
    take(picker, 5000);
    const [a, b, c] = picker.counters().map(({ total }) => total);
    expect(a).toBeGreaterThan(2900);
    expect(a).toBeLessThan(3100);
    expect(Math.abs(b! - c!)).toBeLessThan(100);
  });
});

describe('source-hash', () => {
  const clients = Array.from({ length: 2000 }, (_, i) => `10.${i % 7}.${(i >> 3) % 256}.${i % 256}`);
  const places = (picker: Picker) => clients.map((client) => idOf(picker.take(null, client)));
  const distinct = fc.uniqueArray(fc.integer({ min: 0, max: 999 }), { minLength: 2, maxLength: 10 });

  it('sends a client to the same target each time, in every process, in whatever order they stand', () => {
    fc.assert(
      fc.property(distinct, (ids) => {
        const targets = ids.map((id) => make(`10.9.0.${id}:80`));
        const one = places(new Picker('source-hash', targets));
        const other = new Picker('source-hash', [...targets].reverse());
        expect(places(other)).toEqual(one);
        expect(places(other)).toEqual(one);
      }),
      { numRuns: 20 },
    );
  });

  it('moves only the clients of a target that goes, and only to one that comes', () => {
    fc.assert(
      fc.property(distinct, fc.nat(), (ids, which) => {
        const targets = ids.map((id) => make(`10.9.0.${id}:80`, { weight: (id % 4) + 1 }));
        const gone = targets[which % targets.length]!;
        const picker = new Picker('source-hash', targets);
        const before = places(picker);
        picker.update(
          'source-hash',
          targets.map((target) => (target === gone ? { ...target, verdict: 'down' } : target)),
        );
        const without = places(picker);
        picker.update('source-hash', targets);
        const again = places(picker);
        expect(again).toEqual(before);
        for (const [i, id] of before.entries()) if (id !== gone.id) expect(without[i]).toBe(id);
        expect(without).not.toContain(gone.id);
      }),
      { numRuns: 40 },
    );
  });

  it('gives each target its share by weight', () => {
    const weights = [1, 2, 3, 4];
    const targets = weights.map((weight, i) => make(`10.0.0.${i}:80`, { weight }));
    const many = Array.from({ length: 20_000 }, (_, i) => `192.168.${i >> 8}.${i & 255}`);
    const picker = new Picker('source-hash', targets);
    for (const client of many) picker.take(null, client);
    const shares = picker.counters().map(({ total }) => total / many.length);
    for (const [i, share] of shares.entries()) {
      expect(share).toBeGreaterThan((weights[i]! / 10) * 0.9);
      expect(share).toBeLessThan((weights[i]! / 10) * 1.1);
    }
  });
});

describe('caps', () => {
  it('are never exceeded, whatever the policy, and a place that is left is given again', () => {
    const policies = ['round-robin', 'least-connections', 'random', 'source-hash'] as const;
    const targets = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(fc.constantFrom(...policies), targets, fc.array(fc.boolean()), (policy, caps, steps) => {
        const picker = new Picker(
          policy,
          caps.map((max, i) => make(String(i), { max })),
        );
        const open: string[] = [];
        for (const comes of steps) {
          if (comes) {
            const id = idOf(picker.take(null, String(open.length)))!;
            expect(id === 'full').toBe(open.length === caps.reduce((a, b) => a + b, 0));
            if (id !== 'full') open.push(id);
          } else if (open.length > 0) picker.leave(open.shift()!);
          for (const [i, { active }] of picker.counters().entries())
            expect(active).toBeLessThanOrEqual(caps[i]!);
        }
      }),
    );
  });

  it('count what other processes have open, and tell what they have themselves', () => {
    const shared = { set: new Map<string, number>(), others: 1 };
    const picker = new Picker('round-robin', [make('a', { max: 2 })], {
      shared: { set: ({ id }, active) => shared.set.set(id, active), elsewhere: () => shared.others },
    });
    expect(take(picker, 2)).toEqual(['a', 'full']);
    expect(shared.set.get('a')).toBe(1);
    shared.others = 0;
    expect(take(picker, 2)).toEqual(['a', 'full']);
    picker.leave('a');
    expect(shared.set.get('a')).toBe(1);
  });

  it('make a connection wait for a primary rather than go to a backup', () => {
    const picker = new Picker('round-robin', [make('a', { max: 1 }), make('b', { backup: true })]);
    expect(take(picker, 2)).toEqual(['a', 'full']);
  });
});

describe('who may be used', () => {
  const primary = { up: make('up'), unknown: make('unknown', { verdict: 'unknown' }) };
  const spare = {
    up: make('spare', { backup: true }),
    unknown: make('x', { backup: true, verdict: 'unknown' }),
  };

  it.each([
    ['an up primary first', [spare.up, primary.unknown, primary.up, spare.unknown], 'up'],
    ['then a primary nobody knows about', [spare.up, primary.unknown, spare.unknown], 'unknown'],
    ['then an up backup', [spare.unknown, spare.up], 'spare'],
    ['at last a backup nobody knows about', [spare.unknown], 'x'],
    ['nobody that is down', [make('a', { verdict: 'down' })], undefined],
    ['nobody that is draining', [make('a', { draining: true })], undefined],
    ['nobody without weight', [make('a', { weight: 0 })], undefined],
    ['a backup rather than a primary that is down', [make('a', { verdict: 'down' }), spare.up], 'spare'],
  ])('%s', (_what, targets, expected) => {
    expect(idOf(new Picker('round-robin', targets).take(null))).toBe(expected);
    expect(idOf(new Picker('least-connections', targets).take(null))).toBe(expected);
  });

  it('leaves out what was tried, and then goes one tier down', () => {
    const picker = new Picker('round-robin', [make('a'), make('b'), spare.up]);
    expect(idOf(picker.take(new Set(['a'])))).toBe('b');
    expect(idOf(picker.take(new Set(['a', 'b'])))).toBe('spare');
    expect(picker.take(new Set(['a', 'b', 'spare']))).toBeNull();
  });
});

describe('books', () => {
  it('are kept for a target that is gone until its last connection is', () => {
    const picker = new Picker('round-robin', [make('a'), make('b')]);
    take(picker, 2);
    picker.update('round-robin', [make('b')]);
    expect(picker.counters().map(({ id }) => id)).toEqual(['a', 'b']);
    expect(take(picker, 2)).toEqual(['b', 'b']);
    picker.leave('a');
    expect(picker.counters().map(({ id }) => id)).toEqual(['b']);
    picker.leave('a');
  });

  it('go on for a target that comes back', () => {
    const picker = new Picker('round-robin', [make('a')]);
    take(picker, 1);
    picker.update('round-robin', []);
    expect(picker.take(null)).toBeNull();
    picker.update('round-robin', [make('a')]);
    expect(picker.counters()).toEqual([{ id: 'a', active: 1, total: 1, failures: 0 }]);
  });

  it('never count below nothing nor forget an open connection, whatever happens', () => {
    const step = fc.oneof(
      fc.constant('take' as const),
      fc.constant('leave' as const),
      fc.uniqueArray(fc.constantFrom('a', 'b', 'c'), { maxLength: 3 }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const picker = new Picker('least-connections', [make('a')]);
        const open: string[] = [];
        for (const what of steps) {
          if (what === 'take') open.push(...[idOf(picker.take(null))].filter((id) => id !== undefined));
          else if (what === 'leave') {
            const id = open.shift();
            if (id !== undefined) picker.leave(id);
          } else
            picker.update(
              'round-robin',
              what.map((id) => make(id)),
            );
          const active = Object.fromEntries(picker.counters().map((count) => [count.id, count.active]));
          for (const id of ['a', 'b', 'c']) {
            expect(active[id] ?? 0).toBe(open.filter((other) => other === id).length);
          }
        }
      }),
    );
  });
});
