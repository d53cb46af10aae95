// What waits is bounded for each and for all.
import { describe, expect, it } from 'vitest';
import { ByteBudget } from './byte-budget.ts';

describe('a budget of bytes', () => {
  it('holds as much as it may, and no more', () => {
    const budget = new ByteBudget(10);
    expect([budget.take(6), budget.take(5), budget.take(4)]).toEqual([true, false, true]);
    budget.give(6);
    expect([budget.take(7), budget.take(6)]).toEqual([false, true]);
  });

  it('counts in the whole, and takes nothing where the whole has no room', () => {
    const whole = new ByteBudget(10);
    const [one, other] = [new ByteBudget(8, whole), new ByteBudget(8, whole)];
    expect([one.take(8), other.take(3), other.take(2)]).toEqual([true, false, true]);
    one.give(8);
    expect([other.take(6), other.take(1), one.take(2)]).toEqual([true, false, true]);
  });
});
