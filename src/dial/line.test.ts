// Waiting in line: in order, not too many, not for ever, and given up by a signal.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ReeveError } from '../core/errors.ts';
import { Line } from './line.ts';

const refusals = {
  full: () => new ReeveError('conflict', 'full'),
  late: () => new ReeveError('timeout', 'late'),
};
const signal = new AbortController().signal;

describe('a line', () => {
  it('serves whoever came first, and hands out nothing twice', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 5 }),
        async (count, places) => {
          const line = new Line({ size: 100, timeoutMs: 10_000 }, refusals);
          let free = places;
          const order: number[] = [];
          let most = 0;
          await Promise.all(
            Array.from({ length: count }, async (_, i) => {
              await line.until(() => (free > 0 ? free-- : null), signal);
              order.push(i);
              most = Math.max(most, places - free);
              await new Promise((resolve) => setImmediate(resolve));
              free += 1;
              line.wake();
            }),
          );
          expect(order).toEqual(order.slice().sort((a, b) => a - b));
          expect(most).toBeLessThanOrEqual(places);
          expect(line.waiting).toBe(0);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('refuses whoever comes when it is full, and whoever has waited too long', async () => {
    const line = new Line({ size: 1, timeoutMs: 20 }, refusals);
    const first = line.until(() => null, signal);
    await expect(line.until(() => null, signal)).rejects.toThrow('full');
    await expect(first).rejects.toThrow('late');
    expect(line.waiting).toBe(0);
  });

  it('is left at once by whoever gives up, or whose turn turns out to be for nothing', async () => {
    const line = new Line({ size: 9, timeoutMs: 10_000 }, refusals);
    const abort = new AbortController();
    const given = line.until(() => null, abort.signal);
    abort.abort();
    await expect(given).rejects.toMatchObject({ code: 'aborted' });
    let gone = false;
    const lost = line.until(() => {
      if (gone) throw new ReeveError('not-found', 'gone');
      return null;
    }, signal);
    gone = true;
    line.wake();
    await expect(lost).rejects.toThrow('gone');
    expect(line.waiting).toBe(0);
  });
});
