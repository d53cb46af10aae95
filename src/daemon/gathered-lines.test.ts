// Lines of a log gathered into few writes: all of them, in order, the first at once.
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { GatheredLines } from './gathered-lines.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function gathered() {
  const written: string[] = [];
  return { written, lines: new GatheredLines((text) => written.push(text)) };
}

it('writes the first line at once, and what comes right after it together', () => {
  const { written, lines } = gathered();
  for (const line of ['a\n', 'b\n', 'c\n']) lines.write(line);
  expect(written).toEqual(['a\n']);
  vi.advanceTimersByTime(10);
  lines.write('d\n');
  expect(written).toEqual(['a\n', 'b\nc\n']);
  vi.advanceTimersByTime(20);
  expect(written).toEqual(['a\n', 'b\nc\n', 'd\n']);
  lines.write('e\n');
  expect(written.at(-1)).toBe('e\n');
});

it('does not wait where there is much to write, or where it is asked to write now', () => {
  const { written, lines } = gathered();
  lines.write('a\n');
  lines.write('b'.repeat(70_000));
  expect(written).toHaveLength(2);
  lines.write('c\n');
  lines.flush();
  expect(written.at(-1)).toBe('c\n');
  vi.runAllTimers();
  expect(written).toHaveLength(3);
});

it('leaves no timer behind', () => {
  const { lines } = gathered();
  lines.write('a\n');
  lines.write('b\n');
  vi.runAllTimers();
  expect(vi.getTimerCount()).toBe(0);
});
