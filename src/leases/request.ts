// What a request for leases means on this machine, and which requests are refused at once.
import { ReeveError } from '../core/errors.ts';
import { defaultPool, maxCount } from '../core/lease.ts';
import { explainPool, type PoolRules, whyUnsuitable } from '../core/lease-ports.ts';
import { formatDuration } from '../core/quantity.ts';
import { formatRange } from '../core/range.ts';
import { plural } from '../core/text.ts';
import type { HostFacts } from '../system/index.ts';
import type { GrantRequest } from './book.ts';
import { assertLeaseName } from './name.ts';

const longestTtl = 366 * 86_400_000;

/** @throws ReeveError `usage` */
export function checkRequest({ name, count = 1, ttlMs }: GrantRequest): void {
  assertLeaseName(name);
  if (!Number.isInteger(count) || count < 1 || count > maxCount) {
    throw new ReeveError('usage', `cannot lease ${count} ports at once: 1 to ${maxCount} serve`);
  }
  if (!(ttlMs >= 1 && ttlMs <= longestTtl)) {
    const asked = Number.isFinite(ttlMs) ? formatDuration(ttlMs) : String(ttlMs);
    throw new ReeveError('usage', `a lease cannot last ${asked}: 1ms to 366d serve`);
  }
}

export function poolRules({ range, http = false, exclude = [] }: GrantRequest, facts: HostFacts): PoolRules {
  const { ephemeral, reserved, excluded, unprivilegedFrom, mayBindPrivileged } = facts;
  return {
    ...{ range: range ?? defaultPool, ephemeral, reserved, excluded, exclude },
    ...{ unprivilegedFrom, mayBindPrivileged, http },
  };
}

/** @throws ReeveError `conflict` where settings alone leave too few ports, which no waiting changes. */
export function assertEnough(rules: PoolRules, count: number): void {
  let found = 0;
  for (let port = rules.range.first; port <= rules.range.last && found < count; port++) {
    if (whyUnsuitable(port, rules) === null) found++;
  }
  if (found >= count) return;
  const has = found === 0 ? 'no port' : `only ${plural(found, 'port')}`;
  throw new ReeveError(
    'conflict',
    `${formatRange(rules.range)} has ${has} to lease, ${count} wanted: ${explainPool(rules) || 'it is too small'}`,
    { hint: 'Use another --range' },
  );
}

/** What `read` gave, until it is `ms` old. */
export function keptFor<Value>(ms: number, read: () => Promise<Value>): () => Promise<Value> {
  let kept: Promise<Value> | undefined;
  let until = 0;
  return () => {
    if (!kept || performance.now() > until) {
      kept = read();
      until = performance.now() + ms;
      kept.catch(() => {
        kept = undefined;
      });
    }
    return kept;
  };
}
