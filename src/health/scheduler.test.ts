// The scheduler: never more probes at once than allowed, against scripted and against real servers.
import { type AddressInfo, createServer, type Socket } from 'node:net';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { silentLog, systemClock } from '../core/context.ts';
import { sleep } from '../core/time.ts';
import type { CheckTiming } from './cadence.ts';
import type { Check, CheckSpec } from './check.ts';
import type { ProbeOptions, ProbeResult } from './outcome.ts';
import { probe } from './probe.ts';
import { createScheduler } from './scheduler.ts';

const timing: CheckTiming = { interval: 1000, timeout: 300, fall: 3, rise: 2, fastInterval: 100 };
const up: ProbeResult = { verdict: 'up', reason: null, detail: 'accepted', ms: 1 };
const down: ProbeResult = { verdict: 'down', reason: 'refused', detail: 'connection refused', ms: 1 };
const context = { clock: systemClock, random: Math.random, log: silentLog, emit: () => {} };
const spec = (changes: Partial<CheckSpec>): CheckSpec => ({
  name: 'check/one',
  url: 'tcp://127.0.0.1:1',
  timing,
  emits: true,
  ...changes,
});

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('never two probes of one check, never more than allowed, whatever servers and callers do', async () => {
  const action = fc.record({
    what: fc.constantFrom('add', 'nudge', 'stop', 'retime', 'wait', 'wait'),
    which: fc.nat(9),
    ms: fc.nat(900),
  });
  const answer = fc.record({ ms: fc.nat(400), verdict: fc.constantFrom('up', 'down', 'throw') });
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.array(action, { minLength: 5, maxLength: 60 }),
      fc.array(answer, { minLength: 1, maxLength: 20 }),
      async (maxInFlight, actions, answers) => {
        const busy = new Map<string, number>();
        let asked = 0;
        let most = 0;
        let overlaps = 0;
        const probe = async (url: string, _: ProbeOptions, signal: AbortSignal) => {
          const { ms, verdict } = answers[asked++ % answers.length]!;
          busy.set(url, (busy.get(url) ?? 0) + 1);
          most = Math.max(
            most,
            [...busy.values()].reduce((sum, count) => sum + count),
          );
          if (busy.get(url) !== 1) overlaps += 1;
          try {
            await sleep(ms, signal);
            if (verdict === 'throw') throw new Error('a fault in a prober');
            return verdict === 'up' ? up : down;
          } finally {
            busy.set(url, busy.get(url)! - 1);
          }
        };
        const scheduler = createScheduler({ ...context, random: () => 0.3 }, { maxInFlight, probe });
        const checks: Check[] = [];
        for (const { what, which, ms } of actions) {
          const check = checks[which % Math.max(1, checks.length)];
          if (what === 'add')
            checks.push(scheduler.add(spec({ url: `tcp://127.0.0.1:${checks.length + 1}` })));
          if (what === 'nudge') check?.nudge();
          if (what === 'stop') check?.stop();
          if (what === 'retime') check?.adjust({ ...timing, interval: ms + 1 });
          if (what === 'wait') await vi.advanceTimersByTimeAsync(ms);
        }
        await vi.advanceTimersByTimeAsync(3000);
        expect(overlaps).toBe(0);
        expect(most).toBeLessThanOrEqual(maxInFlight);
        scheduler.stop();
        await vi.advanceTimersByTimeAsync(0);
        expect(scheduler.inFlight).toBe(0);
        expect(vi.getTimerCount()).toBe(0);
      },
    ),
    { numRuns: 150 },
  );
});

test('a nudge of a check that waits for its turn does not give it two', async () => {
  let asked = 0;
  const probe = (url: string, _: ProbeOptions, signal: AbortSignal) => {
    if (url.endsWith(':3')) asked += 1;
    return sleep(500, signal).then(() => up);
  };
  const scheduler = createScheduler(context, { maxInFlight: 2, probe });
  const [first, second, third] = [1, 2, 3].map((port) =>
    scheduler.add(spec({ url: `tcp://127.0.0.1:${port}`, graceMs: 0 })),
  );
  await vi.advanceTimersByTimeAsync(1);
  third!.nudge();
  first!.stop();
  second!.stop();
  await vi.advanceTimersByTimeAsync(100);
  expect({ asked, inFlight: scheduler.inFlight }).toEqual({ asked: 1, inFlight: 1 });
  scheduler.stop();
});

test('waiting checks get their turn in the order in which they came', async () => {
  const order: string[] = [];
  const probe = async (url: string, _: ProbeOptions, signal: AbortSignal) => {
    order.push(url.slice(-1));
    await sleep(200, signal);
    return up;
  };
  const scheduler = createScheduler(context, { maxInFlight: 1, probe });
  for (const port of [3, 1, 2]) scheduler.add(spec({ url: `tcp://127.0.0.1:${port}` })).nudge();
  await vi.advanceTimersByTimeAsync(700);
  scheduler.stop();
  expect(order.slice(0, 3)).toEqual(['3', '1', '2']);
});

test('against real servers that hang, reset, answer or lie, the bound holds as well', async () => {
  vi.useRealTimers();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', () => {
      const chance = Math.random();
      if (chance < 0.25) socket.resetAndDestroy();
      else if (chance < 0.5) socket.end('HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n');
      else if (chance < 0.75) socket.end('nonsense\r\n\r\n');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;

  let busy = 0;
  let most = 0;
  const counted: typeof probe = async (...args) => {
    most = Math.max(most, ++busy);
    return probe(...args).finally(() => busy--);
  };
  const scheduler = createScheduler(context, { maxInFlight: 4, probe: counted });
  const quick: CheckTiming = { interval: 20, timeout: 40, fall: 3, rise: 2, fastInterval: 10 };
  const reasons = new Set<string | null>();
  await new Promise<void>((resolve) => {
    let results = 0;
    const onResult = ({ last }: Check) => {
      reasons.add(last?.reason ?? null);
      if (++results === 300) resolve();
    };
    for (let i = 0; i < 20; i++) {
      scheduler.add(spec({ url: `http://127.0.0.1:${port}/${i}`, timing: quick, onResult }));
    }
  });
  scheduler.stop();
  expect(most).toBe(4);
  expect([...reasons]).toEqual(expect.arrayContaining([null, 'reset', 'protocol', 'timeout']));
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});
