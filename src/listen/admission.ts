// Who may come in: lists, limits and rates, decided the same way for every engine. No I/O.
import { isDeepStrictEqual } from 'node:util';
import type { ListenerConfig } from '../config/index.ts';
import { unmapped } from '../core/address.ts';
import { AddressSet } from '../core/address-set.ts';
import type { Clock } from '../core/context.ts';
import type { Rate } from '../core/quantity.ts';
import type { RefusalReason } from './binding.ts';
import { ClientRate } from './client-rate.ts';

export interface AdmissionConfig {
  allow?: ListenerConfig['allow'];
  deny?: ListenerConfig['deny'];
  limits: Pick<ListenerConfig['limits'], 'connections' | 'perClient' | 'rate' | 'clientRate'>;
}

/** What admission asks about the world around its listener. */
export interface AdmissionAround {
  /** Connections of the same listener that other processes have open. */
  elsewhere?: () => number;
  /** Whether this process can hardly carry one more. */
  overloaded?: () => boolean;
}

/** Counts the connections of one listener. Every `null` from `admit` is answered by one `release`. */
export class Admission {
  private config: AdmissionConfig;
  private allowed: AddressSet | null;
  private denied: AddressSet | null;
  private readonly bucket: TokenBucket;
  private readonly clientRate: ClientRate;
  private readonly elsewhere: () => number;
  private readonly overloaded: () => boolean;
  private open = 0;
  // Only clients with open connections are in it, so `limits.connections` bounds it.
  private readonly perClient = new Map<string, number>();
  private draining = false;

  constructor(config: AdmissionConfig, clock: Clock, around: AdmissionAround = {}) {
    this.elsewhere = around.elsewhere ?? (() => 0);
    this.overloaded = around.overloaded ?? (() => false);
    this.config = config;
    this.allowed = setOf(config.allow);
    this.denied = setOf(config.deny);
    this.bucket = new TokenBucket(config.limits.rate, clock);
    this.clientRate = new ClientRate(config.limits.clientRate, clock);
  }

  /** Null: come in. The rates are asked last, so that a connection refused for another reason costs no token. */
  admit(address: string): RefusalReason | null {
    const client = unmapped(address);
    const { limits } = this.config;
    if (this.draining) return 'draining';
    if (this.denied?.has(client)) return 'denied';
    if (this.allowed && !this.allowed.has(client)) return 'not-allowed';
    if (this.open + this.elsewhere() >= limits.connections) return 'connections';
    const count = this.perClient.get(client) ?? 0;
    if (limits.perClient !== undefined && count >= limits.perClient) return 'per-client';
    if (this.overloaded()) return 'overload';
    if (!this.clientRate.take(client)) return 'client-rate';
    if (!this.bucket.take()) return 'rate';
    this.open += 1;
    this.perClient.set(client, count + 1);
    return null;
  }

  release(address: string): void {
    const client = unmapped(address);
    const count = this.perClient.get(client);
    if (count === undefined) return;
    this.open -= 1;
    if (count === 1) this.perClient.delete(client);
    else this.perClient.set(client, count - 1);
  }

  /** New limits for those who come from now on; those inside stay. */
  update(config: AdmissionConfig): void {
    if (!isDeepStrictEqual(this.config.allow, config.allow)) this.allowed = setOf(config.allow);
    if (!isDeepStrictEqual(this.config.deny, config.deny)) this.denied = setOf(config.deny);
    this.config = config;
    this.bucket.update(config.limits.rate);
    this.clientRate.update(config.limits.clientRate);
  }

  drain(): void {
    this.draining = true;
  }

  get active(): number {
    return this.open;
  }

  /** How many clients are remembered at the moment. */
  get clients(): number {
    return this.perClient.size;
  }
}

function setOf(blocks: readonly string[] | undefined): AddressSet | null {
  return blocks === undefined ? null : new AddressSet(blocks);
}

/** Holds up to `count` tokens and gains `count` every `perMs`; full at the start, so a burst of `count` passes. */
class TokenBucket {
  private rate: Rate | undefined;
  private readonly clock: Clock;
  private tokens: number;
  private filledAt: number;

  constructor(rate: Rate | undefined, clock: Clock) {
    this.rate = rate;
    this.clock = clock;
    this.tokens = rate?.count ?? 0;
    this.filledAt = clock.monotonic();
  }

  take(): boolean {
    if (!this.rate) return true;
    this.fill(this.rate);
    if (this.tokens < 1) return false;
    this.tokens -= 1;
    return true;
  }

  update(rate: Rate | undefined): void {
    if (this.rate && rate) {
      this.fill(this.rate);
      this.tokens = Math.min(this.tokens, rate.count);
    } else {
      this.tokens = rate?.count ?? 0;
      this.filledAt = this.clock.monotonic();
    }
    this.rate = rate;
  }

  private fill(rate: Rate): void {
    const now = this.clock.monotonic();
    this.tokens = Math.min(rate.count, this.tokens + ((now - this.filledAt) * rate.count) / rate.perMs);
    this.filledAt = now;
  }
}
