// How fast probes may go out: a token bucket that all hosts of a scan share.
import type { Clock } from '../../core/context.ts';
import type { Rate } from '../../core/quantity.ts';

export interface Pace {
  /** Takes leave for one probe; false where it must wait for `waitMs`. */
  take(): boolean;
  /** How long until the next one may go out: 0 for now. */
  waitMs(): number;
}

/** What may go out at once after a pause: a twentieth of a second's worth, so that a fast rate needs no fine timers. */
const burstMs = 50;

/** `rate` null: as fast as answers come. */
export function createPace(rate: Rate | null, clock: Clock): Pace {
  if (rate === null) return { take: () => true, waitMs: () => 0 };
  const perMs = rate.count / rate.perMs;
  const most = Math.max(1, Math.floor(perMs * burstMs));
  let tokens = 1;
  let since = clock.monotonic();
  const refill = () => {
    const now = clock.monotonic();
    tokens = Math.min(most, tokens + (now - since) * perMs);
    since = now;
  };
  return {
    take() {
      if (tokens < 1) refill();
      if (tokens < 1) return false;
      tokens -= 1;
      return true;
    },
    waitMs() {
      refill();
      return tokens >= 1 ? 0 : (1 - tokens) / perMs;
    },
  };
}
