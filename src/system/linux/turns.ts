// Lets others have the event loop during long work, so that a big machine's tables do not stall the daemon.
import { setImmediate } from 'node:timers/promises';

/** Short beside the probes' and relays' own latencies, long beside the cost of a turn. */
const sliceMs = 10;

/** Call the result between steps: it waits for one turn of the loop when a slice is used up. */
export function createTurns(): () => Promise<void> {
  let since = performance.now();
  return async () => {
    if (performance.now() - since < sliceMs) return;
    await setImmediate();
    since = performance.now();
  };
}
