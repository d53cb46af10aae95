// Follows a service in Consul by blocking queries, and keeps the last good list while Consul gives none.
import { backoffDelay } from '../core/backoff.ts';
import type { Context } from '../core/context.ts';
import { errorMessage } from '../core/errors.ts';
import { sleep } from '../core/time.ts';
import type { Consul } from '../store/index.ts';
import { foundInstances } from './consul-shapes.ts';
import type { Link } from './link.ts';
import type { Found, FoundInstance, Query, Watch } from './registry.ts';

/** Milliseconds. Consul answers at the latest after this and a sixteenth more. */
const longestWait = 30_000;
const patience = { min: 250, max: 30_000 };
/** Between answers that follow on one another at once: a service that flaps must not keep both sides busy. */
const calm = { min: 50, max: 2_000 };
const quick = 1_000;
/** What a Consul that was started anew has not heard of again by then is gone. */
const returnWithin = 30_000;

export function healthPath({ service }: Query): string {
  return `/v1/health/service/${encodeURIComponent(service)}`;
}

export function healthQuery({ tags = [], datacenter, near, all = false }: Query) {
  return { ...(all ? {} : { passing: '1' }), tag: tags, dc: datacenter, near };
}

export interface WatchDeps {
  consul: Consul;
  link: Link;
  context: Context;
}

export function watchConsul(query: Query, deps: WatchDeps, changed: (found: Found) => void): Watch {
  const closing = new AbortController();
  let found: Found = { instances: [], asOf: null, stale: 'Consul has not answered yet' };
  void follow(query, deps, closing.signal, (next) => {
    found = next;
    if (!closing.signal.aborted) changed(found);
  });
  return {
    query,
    get found() {
      return found;
    },
    close: () => closing.abort(),
  };
}

async function follow(
  query: Query,
  { consul, link, context }: WatchDeps,
  signal: AbortSignal,
  tell: (found: Found) => void,
): Promise<void> {
  const { clock, random } = context;
  const who = `watching ${query.service}`;
  let found: Found = { instances: [], asOf: null, stale: 'Consul has not answered yet' };
  let index = 0;
  /** Whether to wait for the index to move; not after a failure or a reset, when it may be of another life. */
  let blocks = false;
  let failures = 0;
  let quickOnes = 0;
  let returnUntil = Number.NEGATIVE_INFINITY;
  while (!signal.aborted) {
    const asked = clock.monotonic();
    const left = returnUntil > asked ? Math.max(1000, returnUntil - asked) : longestWait;
    const wait = Math.ceil(Math.min(longestWait, left));
    let pause: number;
    try {
      const blocking = blocks ? { index, wait: `${wait}ms` } : {};
      const answer = await consul.ask(
        healthPath(query),
        {
          query: { ...healthQuery(query), ...blocking },
          timeoutMs: 5_000 + (blocks ? Math.ceil(wait * (17 / 16)) : 0),
        },
        signal,
      );
      const now = clock.monotonic();
      // The rules of blocking queries: an index that goes backwards is of another life, and 0 would not block.
      const isReset = answer.index < index;
      index = Math.max(1, answer.index);
      blocks = !isReset;
      const fresh = foundInstances(answer.body);
      if (isReset) returnUntil = now + returnWithin;
      const missing = now < returnUntil ? missingIn(fresh, found.instances) : [];
      if (missing.length === 0 && !isReset) returnUntil = Number.NEGATIVE_INFINITY;
      const stale =
        missing.length === 0 ? null : 'Consul was started anew; who has not come back yet is kept';
      const next: Found = { instances: [...fresh, ...missing], asOf: clock.wall(), stale };
      const isNews = found.asOf === null || found.stale !== stale || differs(next.instances, found.instances);
      found = next;
      failures = 0;
      link.succeeded(who);
      if (isNews) tell(found);
      quickOnes = now - asked < quick ? quickOnes + 1 : 0;
      pause = quickOnes < 3 ? 0 : backoffDelay(calm, quickOnes - 3, random);
    } catch (error) {
      if (signal.aborted) break;
      link.failed(who, error);
      blocks = false;
      const stale = errorMessage(error);
      if (found.stale !== stale) {
        found = { ...found, stale };
        tell(found);
      }
      pause = backoffDelay(patience, failures++, random);
    }
    if (pause > 0) await sleep(pause, signal).catch(() => {});
  }
  link.forget(who);
}

const keyOf = ({ id, node, host, port }: FoundInstance) => `${node}/${id}/${host}/${port}`;

function missingIn(fresh: readonly FoundInstance[], before: readonly FoundInstance[]): FoundInstance[] {
  const keys = new Set(fresh.map(keyOf));
  return before.filter((instance) => !keys.has(keyOf(instance)));
}

const differs = (a: readonly FoundInstance[], b: readonly FoundInstance[]) =>
  JSON.stringify(a) !== JSON.stringify(b);
