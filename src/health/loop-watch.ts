// Whether this process itself stood still (a blocked event loop, a suspended machine) while something was measured.
import type { Clock } from '../core/context.ts';

const tickEvery = 100;
/** Beyond this a probe has lost time that it needed; below it is a busy process as usual. */
const stallAfter = 500;

export interface LoopWatch {
  /** Watches while at least one holder wants it. */
  hold(): void;
  release(): void;
  /** Whether a stall overlapped the time since `since` (monotonic milliseconds). */
  stalledSince(since: number): boolean;
}

export function createLoopWatch(clock: Clock): LoopWatch {
  let holders = 0;
  let timer: NodeJS.Timeout | undefined;
  let lastTick = 0;
  let lastWall = 0;
  let lastStall = Number.NEGATIVE_INFINITY;

  // The monotonic clock stands still while the machine is suspended (CLOCK_MONOTONIC on Linux); the wall clock shows it.
  const lateBy = () => Math.max(clock.monotonic() - lastTick, clock.wall() - lastWall) - tickEvery;
  const tick = () => {
    if (lateBy() > stallAfter) lastStall = clock.monotonic();
    lastTick = clock.monotonic();
    lastWall = clock.wall();
  };

  return {
    hold() {
      if (holders++ > 0) return;
      lastTick = clock.monotonic();
      lastWall = clock.wall();
      timer = setInterval(tick, tickEvery).unref();
    },
    release() {
      if (--holders === 0) clearInterval(timer);
    },
    stalledSince(since) {
      // Timers that are late fire in any order: the stall may not have been seen by a tick yet.
      return lastStall >= since || lateBy() > stallAfter;
    },
  };
}
