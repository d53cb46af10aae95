// The lock: one daemon a state directory, and a dead one's lock is no obstacle.
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Processes } from '../system/index.ts';
import { readLock, takeLock } from './lock.ts';

/** Only who is alive matters here; test/real/ takes the lock against the real process table. */
const processes = {
  identify: async (pid: number) =>
    pid === process.pid || pid === 42 ? { pid, start: `start-${pid}` } : null,
} as Processes;

let state: string;
let file: string;
beforeEach(() => {
  state = mkdtempSync(path.join(tmpdir(), 'reeve-lock-'));
  file = path.join(state, 'daemon.json');
});
afterEach(() => rmSync(state, { recursive: true, force: true }));

test('a taken lock names its process and address, and leaves nothing behind', async () => {
  const lock = await takeLock(state, processes);
  await lock.publish('127.0.0.1:7070');
  expect(await readLock(state)).toEqual({
    pid: process.pid,
    start: `start-${process.pid}`,
    control: '127.0.0.1:7070',
  });
  await lock.release();
  expect(readdirSync(state)).toEqual([]);
});

test('a live owner is named in the refusal', async () => {
  writeFileSync(file, JSON.stringify({ pid: 42, start: 'start-42', control: '127.0.0.1:7070' }));
  await expect(takeLock(state, processes)).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringContaining('PID 42'),
  });
  expect(readdirSync(state)).toEqual(['daemon.json']);
});

test.each([
  ['a process that has ended', JSON.stringify({ pid: 43, start: 'start-43', control: null })],
  ['another process on the same PID', JSON.stringify({ pid: 42, start: 'earlier', control: null })],
  ['a damaged file', '{"pid":'],
])('the lock of %s is replaced', async (_name, text) => {
  writeFileSync(file, text);
  await takeLock(state, processes);
  expect((await readLock(state))?.pid).toBe(process.pid);
  expect(readdirSync(state)).toEqual(['daemon.json']);
});

test('releasing leaves the lock of a successor alone', async () => {
  const lock = await takeLock(state, processes);
  writeFileSync(file, JSON.stringify({ pid: 42, start: 'start-42', control: null }));
  await lock.release();
  expect(existsSync(file)).toBe(true);
});
