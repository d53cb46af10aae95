// How often each client may come: one number for each of those who came lately, in bounded memory. No I/O.
import { addressBytes } from '../core/address.ts';
import type { Clock } from '../core/context.ts';
import type { Rate } from '../core/quantity.ts';

/** Of clients that are remembered. Beyond it who came longest ago is forgotten, and has its whole burst again. */
const mostClients = 65_536;

/**
 * A token bucket as a time (GCRA): when a client's bucket will be full again. A client whose bucket is full is the same as
 * one that was never seen, and is not kept.
 */
export class ClientRate {
  private readonly clock: Clock;
  private rate: Rate | undefined;
  private readonly fullAt = new Map<string, number>();

  constructor(rate: Rate | undefined, clock: Clock) {
    this.rate = rate;
    this.clock = clock;
  }

  take(client: string): boolean {
    if (!this.rate) return true;
    const { count, perMs } = this.rate;
    const now = this.clock.monotonic();
    const key = networkOf(client);
    const full = Math.max(now, this.fullAt.get(key) ?? 0) + perMs / count;
    // Rounding must not cost the last of a burst.
    if (full - now > perMs + 1e-6) return false;
    this.fullAt.delete(key);
    this.fullAt.set(key, full);
    this.forget(now);
    return true;
  }

  update(rate: Rate | undefined): void {
    if (rate?.count === this.rate?.count && rate?.perMs === this.rate?.perMs) return;
    this.rate = rate;
    this.fullAt.clear();
  }

  /** How many are remembered at the moment. */
  get clients(): number {
    return this.fullAt.size;
  }

  /** Two at the most for each that comes: as many as there are in the end are looked at. */
  private forget(now: number): void {
    let looked = 0;
    for (const [key, full] of this.fullAt) {
      if (looked === 2 || (full > now && this.fullAt.size <= mostClients)) return;
      this.fullAt.delete(key);
      looked += 1;
    }
  }
}

/** A host has a whole /64 of IPv6 for itself, and may come from any address in it. */
export function networkOf(client: string): string {
  if (!client.includes(':')) return client;
  const bytes = addressBytes(client);
  return bytes ? String.fromCharCode(...bytes.subarray(0, 8)) : client;
}
