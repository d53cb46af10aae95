// What may be asked of a dialler, and what holds where nothing is said.
import type { ConnectionOptions } from 'node:tls';
import { type Policy, policies } from '../core/balance/policies.ts';
import type { RetryBudgetConfig } from '../core/balance/retry-budget.ts';
import { ReeveError } from '../core/errors.ts';
import type { DurationRange } from '../core/quantity.ts';
import type { BreakerRules } from './breaker.ts';

export type DialTls = Pick<
  ConnectionOptions,
  'ca' | 'cert' | 'key' | 'passphrase' | 'servername' | 'rejectUnauthorized' | 'ALPNProtocols' | 'minVersion'
>;

export interface RetryRules {
  /** Further attempts after the first. */
  attempts: number;
  /** Pauses once every target has been tried; before that the next one is tried at once. */
  backoff: DurationRange;
  /** Retries under way at once, of the calls under way; those beyond wait for their turn. */
  budget: RetryBudgetConfig;
  /** HTTP statuses that count as failures. */
  statuses: readonly number[];
}

export interface PoolRules {
  /** Connections to one target at once, idle ones included. */
  max: number;
  idleMs: number;
  lifetimeMs: number;
  /** How many may wait for a connection, or for their turn to retry. */
  queue: number;
  queueTimeoutMs: number;
}

export interface FallbackRules {
  /** How long a good answer may stand in for one that cannot be had; 0: never. */
  ttlMs: number;
  /** Of answers that are kept. */
  most: number;
  /** Bytes; longer ones, and those that do not say how long they are, are not kept. */
  longest: number;
}

export interface Rules {
  policy: Policy;
  connectTimeoutMs: number;
  /** HTTP: from the start of a request to the head of its answer. */
  answerTimeoutMs: number;
  tls: DialTls | null;
  retry: RetryRules;
  breaker: BreakerRules;
  pool: PoolRules;
  fallback: FallbackRules;
}

type Loose<T> = { [Key in keyof T]?: T[Key] | undefined };

export interface RuleOptions extends Loose<Omit<Rules, 'tls' | 'retry' | 'breaker' | 'pool' | 'fallback'>> {
  tls?: boolean | DialTls;
  retry?: Loose<Omit<RetryRules, 'budget'>> & { budget?: Loose<RetryBudgetConfig> };
  breaker?: Loose<BreakerRules>;
  pool?: Loose<PoolRules>;
  fallback?: Loose<FallbackRules>;
}

const usual: Rules = {
  policy: 'random',
  connectTimeoutMs: 5000,
  answerTimeoutMs: 30_000,
  tls: null,
  retry: {
    attempts: 3,
    backoff: { min: 200, max: 30_000 },
    budget: { percent: 20, least: 3 },
    statuses: [502, 503, 504],
  },
  breaker: { failures: 5, openMs: 30_000, longestMs: 300_000, probeMs: 30_000 },
  pool: { max: 64, idleMs: 120_000, lifetimeMs: 600_000, queue: 1024, queueTimeoutMs: 5000 },
  fallback: { ttlMs: 0, most: 100, longest: 1024 * 1024 },
};

/** @throws ReeveError `usage` for a value that cannot be. */
export function settleRules(options: RuleOptions): Rules {
  const { tls, retry = {}, breaker, pool, fallback, policy, connectTimeoutMs, answerTimeoutMs } = options;
  const { budget, ...retrying } = retry;
  const rules: Rules = {
    ...filled(usual, { policy, connectTimeoutMs, answerTimeoutMs }),
    tls: tls === true ? {} : tls || null,
    retry: { ...filled(usual.retry, retrying), budget: filled(usual.retry.budget, budget) },
    breaker: filled(usual.breaker, breaker),
    pool: filled(usual.pool, pool),
    fallback: filled(usual.fallback, fallback),
  };
  if (!policies.includes(rules.policy))
    throw new ReeveError('usage', `policy is '${rules.policy}': ${policies.join(', ')} are accepted`);
  least(1, { connectTimeoutMs: rules.connectTimeoutMs, answerTimeoutMs: rules.answerTimeoutMs }, '');
  least(0, { attempts: rules.retry.attempts }, 'retry.');
  least(0, { ...rules.retry.budget }, 'retry.budget.');
  least(0, { min: rules.retry.backoff.min, max: rules.retry.backoff.max }, 'retry.backoff.');
  least(0, { failures: rules.breaker.failures }, 'breaker.');
  const { openMs, longestMs, probeMs } = rules.breaker;
  least(1, { openMs, longestMs, probeMs }, 'breaker.');
  const { queue, ...atLeastOne } = rules.pool;
  least(0, { queue }, 'pool.');
  least(1, atLeastOne, 'pool.');
  least(0, { ...rules.fallback }, 'fallback.');
  return rules;
}

function filled<T extends object>(base: T, given: Loose<T> = {}): T {
  return { ...base, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) };
}

function least(from: number, values: Record<string, number>, prefix: string): void {
  for (const [name, value] of Object.entries(values))
    if (typeof value !== 'number' || !(value >= from) || value > 2 ** 31 - 1)
      throw new ReeveError(
        'usage',
        `${prefix}${name} is ${value}: a number from ${from} to ${2 ** 31 - 1} is accepted`,
      );
}
