// One check over time: its verdicts, its doubt of itself, and how it is controlled.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type ReeveEvent, silentLog, systemClock } from '../core/context.ts';
import { sleep } from '../core/time.ts';
import type { CheckTiming } from './cadence.ts';
import type { Check, CheckSpec } from './check.ts';
import type { ProbeOptions, ProbeResult } from './outcome.ts';
import { createScheduler } from './scheduler.ts';

const timing: CheckTiming = { interval: 1000, timeout: 300, fall: 3, rise: 2, fastInterval: 100 };
const up: ProbeResult = { verdict: 'up', reason: null, detail: 'accepted', ms: 1 };
const down: ProbeResult = { verdict: 'down', reason: 'refused', detail: 'connection refused', ms: 1 };

let events: ReeveEvent[] = [];
const context = {
  clock: systemClock,
  random: () => 0.5,
  log: silentLog,
  emit: (event: ReeveEvent) => void events.push(event),
};
const spec = (changes: Partial<CheckSpec> = {}): CheckSpec => ({
  name: 'check/database',
  url: 'tcp://127.0.0.1:5432',
  timing,
  emits: true,
  ...changes,
});

beforeEach(() => {
  events = [];
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Answers in this order, then the last one for ever; and when it was asked. */
function script(...answers: ProbeResult[]) {
  const asked: number[] = [];
  const probe = async () => {
    asked.push(performance.now());
    return answers[Math.min(asked.length, answers.length) - 1]!;
  };
  return { asked, probe };
}

describe('verdicts', () => {
  test('fall failures in a row take it down and rise successes bring it back, with one event each', async () => {
    const { probe } = script(up, down, down, up, down, down, down, down, up, up);
    const verdicts: string[] = [];
    const scheduler = createScheduler(context, { probe });
    scheduler.add(spec({ onResult: ({ state }) => verdicts.push(state.verdict) }));
    await vi.advanceTimersByTimeAsync(10_000);
    scheduler.stop();
    expect(verdicts.slice(0, 11).join(' ')).toBe('up up up up up up down down down up up');
    expect(events.map(({ kind, subject, message }) => [kind, subject, message])).toEqual([
      ['health', 'check/database', 'up: accepted'],
      ['health', 'check/database', 'down: 3 of 3 probes failed, last: connection refused'],
      ['health', 'check/database', 'up: 2 of 2 probes succeeded, last: accepted'],
    ]);
    expect(events[1]!.detail).toMatchObject({ verdict: 'down', before: 'up', reason: 'refused' });
  });

  test('it tells no event when it does not emit', async () => {
    const scheduler = createScheduler(context, { probe: script(up).probe });
    const check = scheduler.add(spec({ emits: false }));
    await vi.advanceTimersByTimeAsync(2000);
    scheduler.stop();
    expect(check.state.verdict).toBe('up');
    expect(events).toEqual([]);
  });

  test('while results disagree with the verdict it probes at the fast interval', async () => {
    const { probe, asked } = script(up, down, down, down, down);
    const scheduler = createScheduler(context, { probe });
    scheduler.add(spec());
    await vi.advanceTimersByTimeAsync(4000);
    scheduler.stop();
    const first = asked[0]!;
    expect(asked.slice(0, 5).map((time) => Math.round(time - first))).toEqual([0, 1000, 1100, 1200, 2200]);
  });

  test('a failure within the grace of a start does not count, and a success ends the grace', async () => {
    const { probe, asked } = script(down, down, down, down, down, up, down);
    const scheduler = createScheduler(context, { probe });
    const check = scheduler.add(spec({ graceMs: 10_000, timing: { ...timing, fastInterval: 200 } }));
    await vi.advanceTimersByTimeAsync(0);
    expect(asked).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(150 + 200 + 200 + 200);
    expect(check.state).toEqual({ verdict: 'unknown', streak: 0 });
    await vi.advanceTimersByTimeAsync(200);
    expect(check.state.verdict).toBe('up');
    await vi.advanceTimersByTimeAsync(1000 + 200 + 200);
    scheduler.stop();
    expect(check.state.verdict).toBe('down');
  });

  test('when the grace is over without a success, failures count', async () => {
    const scheduler = createScheduler(context, { probe: script(down).probe });
    const check = scheduler.add(spec({ graceMs: 1000 }));
    await vi.advanceTimersByTimeAsync(990);
    expect(check.state).toEqual({ verdict: 'unknown', streak: 0 });
    await vi.advanceTimersByTimeAsync(400);
    scheduler.stop();
    expect(check.state.verdict).toBe('down');
  });
});

describe('self-doubt', () => {
  test('a failure during which the event loop stood still is unknown and changes nothing', async () => {
    vi.useRealTimers();
    const stalled = async (): Promise<ProbeResult> => {
      const until = performance.now() + 700;
      while (performance.now() < until);
      return down;
    };
    const scheduler = createScheduler(context, { probe: stalled });
    const seen = await new Promise<Check>((resolve) => {
      scheduler.add(spec({ graceMs: 0, onResult: resolve }));
    });
    scheduler.stop();
    expect(seen.last).toMatchObject({ verdict: 'unknown', reason: 'stalled' });
    expect(seen.last!.detail).toContain('connection refused');
    expect(seen.state).toEqual({ verdict: 'unknown', streak: 0 });
  });

  test('a suspended machine shows in the wall clock', async () => {
    const resumed = async (): Promise<ProbeResult> => {
      vi.setSystemTime(Date.now() + 60_000);
      return down;
    };
    const scheduler = createScheduler(context, { probe: resumed });
    const check = scheduler.add(spec({ graceMs: 0 }));
    await vi.advanceTimersByTimeAsync(0);
    scheduler.stop();
    expect(check.last).toMatchObject({ verdict: 'unknown', reason: 'stalled' });
  });

  test("a timeout that is noticed much later than it was due is this process's own lateness", async () => {
    const late = { ...down, reason: 'timeout', ms: 500 } as const;
    const scheduler = createScheduler(context, { probe: script(late).probe });
    const check = scheduler.add(spec({ graceMs: 0 }));
    await vi.advanceTimersByTimeAsync(0);
    scheduler.stop();
    expect(check.last?.verdict).toBe('unknown');
  });

  test('a success is a success, however late', async () => {
    const resumed = async (): Promise<ProbeResult> => {
      vi.setSystemTime(Date.now() + 60_000);
      return up;
    };
    const scheduler = createScheduler(context, { probe: resumed });
    const check = scheduler.add(spec({ graceMs: 0 }));
    await vi.advanceTimersByTimeAsync(0);
    scheduler.stop();
    expect(check.state.verdict).toBe('up');
  });
});

describe('control', () => {
  test('nudge probes now, or right after the probe that is under way', async () => {
    const asked: number[] = [];
    const probe = async (_: string, __: ProbeOptions, signal: AbortSignal) => {
      asked.push(performance.now());
      await sleep(50, signal);
      return up;
    };
    const scheduler = createScheduler(context, { probe });
    const check = scheduler.add(spec());
    check.nudge();
    await vi.advanceTimersByTimeAsync(10);
    expect(asked).toHaveLength(1);
    check.nudge();
    check.nudge();
    await vi.advanceTimersByTimeAsync(60);
    // A timer of 0 ms takes 1 ms.
    expect(asked.map((time) => Math.round(time - asked[0]!))).toEqual([0, 51]);
    scheduler.stop();
  });

  test('a new timing holds from now on', async () => {
    const { probe, asked } = script(up);
    const scheduler = createScheduler(context, { probe });
    const check = scheduler.add(spec({ timing: { ...timing, interval: 3_600_000 } }));
    await vi.advanceTimersByTimeAsync(1000);
    check.adjust(timing);
    await vi.advanceTimersByTimeAsync(1000);
    scheduler.stop();
    expect(asked).toHaveLength(2);
  });

  test('stop cancels the probe in flight, tells nothing more, and leaves no timer', async () => {
    let cancelled = false;
    const probe = (_: string, __: ProbeOptions, signal: AbortSignal) =>
      sleep(60_000, signal).then(
        () => up,
        (error) => {
          cancelled = true;
          throw error;
        },
      );
    const scheduler = createScheduler(context, { probe });
    const results: Check[] = [];
    const check = scheduler.add(spec({ onResult: (one) => results.push(one) }));
    check.nudge();
    await vi.advanceTimersByTimeAsync(0);
    expect(scheduler.inFlight).toBe(1);
    check.stop();
    check.nudge();
    await vi.advanceTimersByTimeAsync(5000);
    expect({ cancelled, results, inFlight: scheduler.inFlight, nextAt: check.nextAt }).toEqual({
      cancelled: true,
      results: [],
      inFlight: 0,
      nextAt: null,
    });
    expect(vi.getTimerCount()).toBe(0);
  });

  test('a URL that cannot be probed is refused when it is added', () => {
    expect(() => createScheduler(context).add(spec({ url: 'gopher://x:1' }))).toThrow(/is not a URL/);
  });
});
