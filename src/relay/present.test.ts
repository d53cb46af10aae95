// Those that a listener serves: looked at in time whatever changes, and awaited until the last has left.
import { afterEach, expect, test, vi } from 'vitest';
import { Present } from './present.ts';

afterEach(() => void vi.useRealTimers());

test('looks four times within the shortest time while anybody is there, and not at all once nobody is', () => {
  vi.useFakeTimers();
  const look = vi.fn();
  const present = new Present<string>(() => 400, look);
  expect(vi.getTimerCount()).toBe(0);
  present.add('a');
  present.add('b');
  vi.advanceTimersByTime(400);
  expect(look.mock.calls.map(([all]) => [...all])).toEqual(Array(4).fill(['a', 'b']));
  present.remove('a');
  present.remove('b');
  expect(vi.getTimerCount()).toBe(0);
});

test('looks at another pace when the time has changed, and is not put off where it has not', () => {
  vi.useFakeTimers();
  let shortest = 400;
  const look = vi.fn();
  const present = new Present<string>(() => shortest, look);
  present.add('a');
  for (let i = 0; i < 10; i++) {
    vi.advanceTimersByTime(50);
    present.retime();
  }
  expect(look).toHaveBeenCalledTimes(5);
  shortest = 40;
  present.retime();
  vi.advanceTimersByTime(100);
  expect(look).toHaveBeenCalledTimes(15);
  shortest = 1e9;
  present.retime();
  vi.advanceTimersByTime(5000);
  expect(look).toHaveBeenCalledTimes(16);
});

test('leaves out who has left during a look, and resolves when the last has', async () => {
  const present = new Present<string>(
    () => 1000,
    () => {},
  );
  await present.empty();
  for (const one of ['a', 'b', 'c']) present.add(one);
  const seen: string[] = [];
  let isEmpty = false;
  const empty = present.empty().then(() => {
    isEmpty = true;
  });
  for (const one of present) {
    seen.push(one);
    present.remove('b');
  }
  expect(seen).toEqual(['a', 'c']);
  await Promise.resolve();
  expect(isEmpty).toBe(false);
  present.remove('a');
  present.remove('c');
  await empty;
  expect(present.size).toBe(0);
});
