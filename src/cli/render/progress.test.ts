// The words beside the progress bar: how far, how fast, how long still.
import { expect, it } from 'vitest';
import { progressLine, progressWords } from './progress.ts';

it('tells rate and time left once there is something to go by', () => {
  expect(progressWords(0, 1024, 0, 0)).toBe('0 of 1024 ports, 0 open');
  expect(progressWords(100, 1000, 2, 200)).toBe('100 of 1000 ports, 2 open');
  expect(progressWords(500, 65_500, 3, 1000)).toBe('500 of 65500 ports, 500/s, 2m 10s left, 3 open');
  expect(progressWords(1000, 1000, 3, 2000)).toBe('1000 of 1000 ports, 500/s, 3 open');
});

it('gives the bar what the words leave, and keeps to the line', () => {
  expect(progressLine('Scanning a', 50, 100, 1, 0, 80)).toBe(
    `${'━'.repeat(20)}${'─'.repeat(20)} Scanning a: 50 of 100 ports, 1 open`,
  );
  expect(progressLine('Scanning a', 50, 100, 1, 0, 50)).toMatch(/^━{7}─{6} Scanning a: 50 of 100/);
  expect(progressLine('Scanning a', 50, 100, 1, 0, 30)).toBe('Scanning a: 50 of 100 ports, 1 open');
});
