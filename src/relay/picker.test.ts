// Picking targets: proportions, tiers, exclusions, and books that balance.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Target } from './engine.ts';
import { Picker } from './picker.ts';

const make = (id: string, settings: Partial<Target> = {}): Target => ({
  id,
  host: '127.0.0.1',
  port: 1,
  weight: 1,
  backup: false,
  verdict: 'up',
  draining: false,
  ...settings,
});

const take = (picker: Picker, count: number) => Array.from({ length: count }, () => picker.take(null)?.id);

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
    expect(new Picker('round-robin', targets).take(null)?.id).toBe(expected);
    expect(new Picker('least-connections', targets).take(null)?.id).toBe(expected);
  });

  it('leaves out what was tried, and then goes one tier down', () => {
    const picker = new Picker('round-robin', [make('a'), make('b'), spare.up]);
    expect(picker.take(new Set(['a']))?.id).toBe('b');
    expect(picker.take(new Set(['a', 'b']))?.id).toBe('spare');
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
          if (what === 'take') open.push(...[picker.take(null)?.id].filter((id) => id !== undefined));
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
