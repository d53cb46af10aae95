// Lets others have the event loop during long work, so that a big machine's tables do not stall the daemon.
import { setImmediate } from 'node:timers/promises';

/** Short beside the probes' and relays' own latencies, long beside the cost of a turn. */
const sliceMs = 10;

/** As performance.now(), whose module takes a millisecond to load: a tenth of a short command's own work. */
export function monotonicMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e3 + nanoseconds / 1e6;
}

/** Call the result between steps: it waits for one turn of the loop when a slice is used up. */
export function createTurns(): () => Promise<void> {
  let since = monotonicMs();
  return async () => {
    if (monotonicMs() - since < sliceMs) return;
    await setImmediate();
    since = monotonicMs();
  };
}
