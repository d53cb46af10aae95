// Searching: how often another target is tried, waiting for places, and the budget of retries.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Picker } from '../core/balance/picker.ts';
import { RetryBudget } from '../core/balance/retry-budget.ts';
import type { Target } from './engine.ts';
import { Search } from './search.ts';
import { type Waiter, WaitingRoom } from './waiting-room.ts';

const target = (id: string): Target => ({
  id,
  host: '127.0.0.1',
  port: 1,
  weight: 1,
  backup: false,
  verdict: 'up',
  draining: false,
  max: null,
});

const targets = ['a', 'b', 'c'].map(target);

describe('retries', () => {
  it('end with the budget, which is free again when one connects', () => {
    const picker = new Picker('round-robin', targets);
    const budget = new RetryBudget({ percent: 20, least: 1 }, () => 0);
    const fail = (search: Search) => {
      const first = search.next(picker, 2, budget, '') as Target;
      search.failed(picker, first, 'ECONNREFUSED');
    };
    const [one, two, three] = [new Search(), new Search(), new Search()];
    fail(one);
    fail(two);
    expect(one.next(picker, 2, budget, '')).toMatchObject({ id: expect.any(String) });
    expect(two.next(picker, 2, budget, '')).toBeNull();
    expect(two.reason).toBe('retry-budget');
    two.over();
    one.over();
    one.over();
    fail(three);
    expect(three.next(picker, 2, budget, '')).not.toBeNull();
  });

  it('are never more at once than the budget says, and none is lost', () => {
    const step = fc.record({ search: fc.nat(5), end: fc.boolean(), open: fc.nat(60) });
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        let open = 0;
        const budget = new RetryBudget({ percent: 20, least: 3 }, () => open);
        const retrying = new Set<number>();
        for (const { search, end, open: now } of steps) {
          open = now;
          const most = Math.max(3, Math.floor(open / 5));
          if (end && retrying.delete(search)) budget.end();
          else if (!end && !retrying.has(search)) {
            const before = retrying.size;
            if (budget.begin()) retrying.add(search);
            expect(retrying.size > before).toBe(before < most);
          }
        }
      }),
    );
  });
});

describe('the waiting room', () => {
  const waiter = (tryAgain: () => boolean, choosy = false): Waiter => ({ tryAgain, choosy });

  it('lets in as many as there are places, first come first, and only so many may wait', () => {
    const room = new WaitingRoom(() => 3);
    let places = 0;
    const served: number[] = [];
    const make = (n: number) =>
      waiter(() => {
        if (places === 0) return false;
        places -= 1;
        served.push(n);
        return true;
      });
    expect([1, 2, 3, 4].map((n) => room.join(make(n)))).toEqual([true, true, true, false]);
    room.wake();
    expect(served).toEqual([]);
    places = 2;
    room.wake();
    expect(served).toEqual([1, 2]);
    expect(room.waiting).toBe(1);
  });

  it('passes over one that waits for particular targets, and counts those who wait elsewhere', () => {
    let elsewhere = 0;
    const room = new WaitingRoom(
      () => 2,
      () => elsewhere,
    );
    const asked: string[] = [];
    room.join(waiter(() => asked.push('choosy') > 9, true));
    room.join(waiter(() => asked.push('plain') > 0));
    room.wake();
    expect(asked).toEqual(['choosy', 'plain']);
    expect(room.waiting).toBe(1);
    elsewhere = 1;
    expect(room.join(waiter(() => false))).toBe(false);
  });

  it('goes on from the front when a place comes back while it is waking', () => {
    const room = new WaitingRoom(() => 5);
    let places = 0;
    const served: string[] = [];
    const plain = waiter(() => {
      if (places === 0) return false;
      places -= 1;
      served.push('plain');
      return true;
    });
    room.join(plain);
    // It fails at once where it had found a place, which is then free for the first.
    const failing = waiter(() => {
      places = 1;
      room.wake();
      return true;
    }, true);
    room.leave(plain);
    room.join(failing);
    room.join(plain);
    room.wake();
    expect(served).toEqual(['plain']);
    expect(room.waiting).toBe(0);
  });
});
