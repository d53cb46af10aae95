// The history of charts: bounded however long the daemon runs, coarser with age, and the worst is never averaged away.
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { silentLog, systemClock } from '../../core/context.ts';
import { openRings, type Rings } from '../../store/index.ts';
import type { DaemonStatus } from '../status.ts';
import { createRecorder, type Recorder, tiers } from './recorder.ts';

const [fine, , minutes, halfHours] = tiers;
let folder: string;
let rings: Rings;
let recorder: Recorder;
let now: number;
/** What the check answers: whether it is up, and after how many milliseconds. */
let answer: { verdict: 'up' | 'down'; ms: number };

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  folder = mkdtempSync(path.join(tmpdir(), 'reeve-history-'));
  now = Date.parse('2026-03-01T00:00:00Z');
  answer = { verdict: 'up', ms: 10 };
  await begin();
});
afterEach(() => {
  recorder.close();
  vi.useRealTimers();
  rmSync(folder, { recursive: true, force: true });
});

async function begin(): Promise<void> {
  rings = await openRings(path.join(folder, 'history.db'));
  recorder = createRecorder({
    clock: { ...systemClock, wall: () => now, monotonic: () => now },
    log: silentLog,
    rings,
    status: () =>
      ({
        ...{ listeners: [], services: [] },
        checks: [{ name: 'db', ...answer, checkedAt: new Date(now).toISOString() }],
      }) as unknown as DaemonStatus,
    usage: () => new Map(),
  });
}

/** So many looks, so many seconds apart. */
function pass(looks: number, seconds = 1): void {
  for (let i = 0; i < looks; i++) {
    now += seconds * 1000;
    vi.advanceTimersByTime(1000);
  }
}

const rows = () => tiers.map((tier) => rings.read(tier, 0).length);
const check = (sample: Record<string, unknown>) => sample['check/db'] as number[];

test('months of looks fill their rings and nothing more', () => {
  pass(2000);
  expect(rows()[0]).toBe(fine.slots);
  pass(4000, 1800);
  const full = rows();
  full.forEach((count, i) => {
    expect(count, `rows of ${tiers[i]!.step} s`).toBeLessThanOrEqual(tiers[i]!.slots);
  });
  expect(full[3]).toBe(halfHours.slots);
  const bytes = () => statSync(path.join(folder, 'history.db')).size;
  const before = bytes();
  pass(4000, 1800);
  expect(rows()).toEqual(full);
  // A page or two of SQLite's for rows that became longer.
  expect(bytes()).toBeLessThan(before * 1.1);
  // The oldest went: 30 days are left, and the newest is there.
  const kept = rings.read(halfHours, 0);
  expect(kept.at(-1)!.at - kept[0]!.at).toBe((halfHours.slots - 1) * halfHours.step);
  // Each finer ring may hold one slot that is not finished.
  expect(now / 1000 - kept.at(-1)!.at).toBeLessThan((tiers.length + 1) * halfHours.step);
});

test('a coarser slot has the mean of the finer ones, and the worst answer as it was', () => {
  for (let i = 0; i < 180; i++) {
    answer = i === 70 ? { verdict: 'down', ms: 600 } : { verdict: 'up', ms: 10 };
    pass(1);
  }
  const sampled = recorder.read(minutes, 0).map(({ sample }) => check(sample));
  const hit = sampled.find(([up]) => up! < 1)!;
  expect(hit[0]).toBeCloseTo(59 / 60, 2);
  expect(hit[1]).toBeGreaterThan(10);
  expect(hit[1]).toBeLessThan(40);
  expect(hit[2]).toBe(600);
});

test('another run of the daemon goes on in the slot that the last one began', async () => {
  pass(90);
  recorder.close();
  await begin();
  answer = { verdict: 'up', ms: 30 };
  pass(90);
  const seconds = recorder.read(fine, 0).map(({ at }) => at);
  expect(new Set(seconds).size).toBe(seconds.length);
  const [first, second] = recorder.read(minutes, 0);
  expect(check(first!.sample)[1]).toBe(10);
  expect(second!.at - first!.at).toBe(60);
  // Half of it is of each run.
  expect(check(second!.sample)[1]).toBeGreaterThan(17);
  expect(check(second!.sample)[1]).toBeLessThan(23);
});
