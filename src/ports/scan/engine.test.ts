// The loop of a scan, over probers that behave in every way they may: each port answered once, in time and in turn.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PortAnswer, Prober } from '../../system/index.ts';
import { sweep } from './engine.ts';
import { createPace } from './pace.ts';
import { createTiming } from './timing.ts';

/** `at once`, after some milliseconds, only at the n-th time of asking, or never. */
interface Behaviour {
  answer: PortAnswer;
  after: number;
  fromAttempt: number;
  lost: boolean;
}

/** A prober in a time of its own: waiting moves the clock, asking takes some of it. */
function simulated(behave: (port: number) => Behaviour, room: number) {
  const state = { now: 0 };
  const asked: { port: number; at: number }[] = [];
  const due = new Map<number, { at: number; answer: PortAnswer | 'full' }>();
  const attempts = new Map<number, number>();
  const underWay = new Set<number>();
  let mostUnderWay = 0;
  const prober: Prober = {
    ask(port) {
      if (underWay.size >= room) return 'full';
      if (underWay.has(port)) throw new Error(`${port} was asked while it was under way`);
      const attempt = (attempts.get(port) ?? 0) + 1;
      attempts.set(port, attempt);
      asked.push({ port, at: state.now });
      state.now += 0.01;
      const { answer, after, fromAttempt, lost } = behave(port);
      if (attempt >= fromAttempt && after === 0) return answer;
      underWay.add(port);
      mostUnderWay = Math.max(mostUnderWay, underWay.size);
      if (lost && attempt === 1) due.set(port, { at: state.now, answer: 'full' });
      else if (attempt >= fromAttempt) due.set(port, { at: state.now + after, answer });
      return 'asked';
    },
    collect(heard) {
      for (const [port, { at, answer }] of due) {
        if (at > state.now) continue;
        due.delete(port);
        underWay.delete(port);
        heard(port, answer);
      }
    },
    forget(port) {
      due.delete(port);
      underWay.delete(port);
    },
    async wait(ms) {
      state.now += Math.max(0.5, ms);
    },
    close() {},
  };
  const clock = { monotonic: () => state.now, wall: () => state.now };
  return { prober, clock, asked, attempts, mostUnderWay: () => mostUnderWay };
}

const never = new AbortController().signal;
const behaviour = fc.record({
  answer: fc.constantFrom<PortAnswer>('open', 'closed', 'filtered'),
  after: fc.constantFrom(0, 0, 1, 20, 150),
  fromAttempt: fc.constantFrom(1, 1, 1, 2, 3, 99),
  lost: fc.boolean(),
});

describe('sweep', () => {
  it('answers every port once, and rightly, whatever the network does', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(behaviour, { minLength: 1, maxLength: 200 }),
        fc.integer({ min: 1, max: 64 }),
        fc.integer({ min: 1, max: 64 }),
        fc.nat(3),
        async (behaviours, room, capacity, retries) => {
          const of = (port: number) => behaviours[port - 1]!;
          const sim = simulated(of, room);
          const answers = new Map<number, PortAnswer>();
          await sweep(
            {
              ...sim,
              ports: behaviours.map((_, i) => i + 1),
              capacity,
              retries,
              pace: createPace(null, sim.clock),
              timing: createTiming(1000),
              answered(port, answer) {
                expect(answers.has(port)).toBe(false);
                answers.set(port, answer);
              },
            },
            never,
          );
          expect(answers.size).toBe(behaviours.length);
          expect(sim.mostUnderWay()).toBeLessThanOrEqual(capacity);
          for (const [port, answer] of answers) {
            const { fromAttempt, lost, answer: truth } = of(port);
            // A probe that was never sent costs no attempt.
            const sent = retries + 1 + (lost ? 1 : 0);
            if (fromAttempt <= retries + 1) expect(answer).toBe(truth);
            if (fromAttempt > sent) expect(answer).toBe('filtered');
            expect(sim.attempts.get(port)!).toBeLessThanOrEqual(sent);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('keeps to the rate, retries included: counted in every second', async () => {
    const silent = { answer: 'filtered', after: 0, fromAttempt: 99, lost: false } as const;
    const sim = simulated(() => silent, 1e6);
    await sweep(
      {
        ...sim,
        ports: Array.from({ length: 600 }, (_, i) => i + 1),
        capacity: 1000,
        retries: 1,
        pace: createPace({ count: 200, perMs: 1000 }, sim.clock),
        timing: createTiming(500),
        answered() {},
      },
      never,
    );
    expect(sim.asked).toHaveLength(1200);
    for (const { at: from } of sim.asked) {
      const within = sim.asked.filter(({ at }) => at >= from && at < from + 1000).length;
      // The rate, and the burst of a twentieth of a second.
      expect(within).toBeLessThanOrEqual(200 + 10 + 1);
    }
    // And it is not slower than it has to be.
    expect(sim.asked.at(-1)!.at).toBeLessThan(6700);
  });

  it('stops where it is when told to', async () => {
    const abort = new AbortController();
    const sim = simulated(() => ({ answer: 'closed', after: 0, fromAttempt: 1, lost: false }), 10);
    let answered = 0;
    const work = {
      ...sim,
      ports: Array.from({ length: 60_000 }, (_, i) => i + 1),
      capacity: 10,
      retries: 0,
      pace: createPace(null, sim.clock),
      timing: createTiming(500),
      answered() {
        answered += 1;
        if (answered === 100) abort.abort();
      },
    };
    await sweep(work, abort.signal);
    expect(answered).toBeGreaterThanOrEqual(100);
    expect(answered).toBeLessThan(200);
  });

  it('gives up where there is no descriptor for anything, and says so', async () => {
    const sim = simulated(() => ({ answer: 'closed', after: 0, fromAttempt: 1, lost: false }), 0);
    const work = {
      ...sim,
      ports: [1],
      capacity: 10,
      retries: 0,
      pace: createPace(null, sim.clock),
      timing: createTiming(500),
      answered() {},
    };
    await expect(sweep(work, never)).rejects.toMatchObject({
      code: 'unknown',
      hint: expect.stringContaining('ulimit'),
    });
  });
});
