// What an instance waits for before its process starts: what the service depends on, and its ports.
import type { ServiceConfig } from '../config/index.ts';
import { sleep } from '../core/time.ts';
import type { Claims, LostPort } from './claims.ts';
import type { Ports } from './launch.ts';
import type { StartGate } from './status.ts';

/** Milliseconds between looks at a port that is somebody else's. */
const portPoll = { first: 250, most: 2000 };

/** Calls `waits` whenever there is something else to wait for. Rejects when the signal aborts. `config`: as it is now. */
export async function untilAdmitted(
  gate: StartGate,
  config: () => ServiceConfig,
  waits: (reason: string) => void,
  signal: AbortSignal,
): Promise<void> {
  for (let missing = gate.blockedBy(config()); missing !== null; missing = gate.blockedBy(config())) {
    const reason = missing;
    waits(reason);
    await new Promise<void>((resolve) => {
      const look = () => {
        if (!signal.aborted && gate.blockedBy(config()) === reason) return;
        leave();
        signal.removeEventListener('abort', look);
        resolve();
      };
      const leave = gate.onChange(look);
      signal.addEventListener('abort', look);
      look();
    });
    signal.throwIfAborted();
  }
}

/** Calls `lost` for every port that is somebody else's, again with each look. Rejects when the signal aborts. */
export async function untilClaimed(
  claims: Claims,
  config: ServiceConfig,
  lost: (port: LostPort) => void,
  signal: AbortSignal,
): Promise<Ports> {
  for (let pause = portPoll.first; ; pause = Math.min(pause * 2, portPoll.most)) {
    const claim = await claims.claim(config);
    signal.throwIfAborted();
    for (const each of claim.lost) lost(each);
    if (claim.lost.every(({ movedTo }) => movedTo !== null)) return claim.ports;
    await sleep(pause, signal);
  }
}
