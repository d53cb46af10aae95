// The loop of every scan: asks ports as fast as pace and prober let it, gathers answers, asks the silent ones again.
import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../../core/context.ts';
import { ReeveError } from '../../core/errors.ts';
import type { PortAnswer, Prober } from '../../system/index.ts';
import type { Pace } from './pace.ts';
import type { Timing } from './timing.ts';

export interface Sweep {
  prober: Prober;
  ports: Iterable<number>;
  capacity: number;
  /** How often a silent port is asked again. */
  retries: number;
  pace: Pace;
  timing: Timing;
  clock: Clock;
  answered: (port: number, answer: PortAnswer) => void;
}

/** The event loop is lent for no longer than this at a time. */
const sliceMs = 15;
/** So often the clock is looked at: between two looks lie well under a millisecond. */
const asksPerLook = 64;
/** Silent ports are looked through this often. */
const expiryMs = 10;
/** How long descriptors or source ports may be short before the scan gives up. */
const patienceMs = 30_000;

interface Waiting {
  since: number;
  until: number;
  attempt: number;
}

/**
 * Every port is answered once, unless the signal aborts: then the rest is left out.
 * @throws ReeveError `unknown` where descriptors or source ports stay short.
 */
export async function sweep(work: Sweep, signal: AbortSignal): Promise<void> {
  const { prober, capacity, retries, pace, timing, clock, answered } = work;
  const fresh = work.ports[Symbol.iterator]();
  const again: { port: number; attempt: number }[] = [];
  const waiting = new Map<number, Waiting>();
  /** Fewer than `capacity` where descriptors turned out to be short, growing again with every answer. */
  let room = capacity;
  let exhausted = false;
  let stuckSince: number | null = null;
  let nextExpiry = 0;

  const next = () => {
    const retry = again.pop();
    if (retry) return retry;
    const { value, done } = fresh.next();
    if (!done) return { port: value, attempt: 0 };
    exhausted = true;
    return null;
  };
  const heard = (port: number, answer: PortAnswer | 'full') => {
    const asked = waiting.get(port);
    if (!asked) return;
    waiting.delete(port);
    if (answer === 'full') {
      again.push({ port, attempt: asked.attempt });
      room = Math.max(1, waiting.size);
      return;
    }
    room = Math.min(capacity, room + 1);
    if (asked.attempt === 0) timing.measured(clock.monotonic() - asked.since);
    answered(port, answer);
  };

  /** Why it stopped: nothing left to ask, no room, not allowed yet, no descriptors, or its time was up. */
  const askSome = (): 'done' | 'room' | 'pace' | 'full' | 'slice' => {
    let now = clock.monotonic();
    const end = now + sliceMs;
    for (let asks = 1; ; asks++) {
      if (waiting.size >= room) return 'room';
      if (exhausted && again.length === 0) return 'done';
      if (!pace.take()) return 'pace';
      const one = next();
      if (one === null) return 'done';
      const { port, attempt } = one;
      const answer = prober.ask(port);
      if (answer === 'full') {
        again.push(one);
        return 'full';
      }
      if (answer === 'asked') {
        if (asks > 1) now = clock.monotonic();
        waiting.set(port, { since: now, until: now + timing.timeoutMs(attempt), attempt });
      } else answered(port, answer);
      if (asks % asksPerLook === 0) {
        now = clock.monotonic();
        if (now > end || signal.aborted) return 'slice';
      }
    }
  };

  const expire = (now: number) => {
    if (now < nextExpiry) return;
    nextExpiry = now + expiryMs;
    for (const [port, { until, attempt }] of waiting) {
      if (until > now) continue;
      prober.forget(port);
      waiting.delete(port);
      if (attempt < retries) again.push({ port, attempt: attempt + 1 });
      else answered(port, 'filtered');
    }
  };

  // Whose time was up by then has had its answer read, if there was one: a machine that is busy elsewhere may let this
  // loop go on long after that.
  let listened = clock.monotonic();
  while (!signal.aborted) {
    const why = askSome();
    prober.collect(heard);
    expire(listened);
    const now = clock.monotonic();
    if (exhausted && again.length === 0 && waiting.size === 0) return;
    if (why === 'full' && waiting.size === 0) {
      stuckSince ??= now;
      if (now - stuckSince > patienceMs) throw tooFew();
    } else stuckSince = null;
    listened = now;
    // Enough answers came while asking: there is room again already.
    const goOn = why === 'slice' || (why === 'room' && waiting.size < room / 2);
    if (goOn) await setImmediate();
    else await prober.wait(why === 'pace' ? Math.min(expiryMs, pace.waitMs()) : expiryMs, signal);
  }
}

function tooFew(): ReeveError {
  return new ReeveError(
    'unknown',
    `cannot scan: no descriptor or source port was free for ${patienceMs / 1000} s`,
    { hint: 'Close other programs, or raise the limit of open files (ulimit -n)' },
  );
}
