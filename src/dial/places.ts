// Where a service can be reached: a fixed list, or what the registry says, asked again while it is in use.
import type { Target } from '../core/balance/target.ts';
import type { Clock } from '../core/context.ts';
import { formatHostPort, parseEndpoint } from '../core/endpoint.ts';
import { ReeveError } from '../core/errors.ts';
import type { FoundInstance, Query, Registry } from '../registry/index.ts';

export interface FixedTarget {
  /** `host:port`. */
  address: string;
  weight?: number;
  /** Only where none of the others can be used. */
  backup?: boolean;
}

/** Gives the list, or null where it is the same as before. */
export interface Places {
  list(signal: AbortSignal): Promise<readonly Target[]>;
}

/** A list that is older is asked for anew, in the background: nothing runs while nobody dials. */
const fresh = 1000;
/** A list that is older is waited for. */
const old = 30_000;
/** What a catalog may hand out; a picker has to look through all of them. */
const most = 1000;

const usual = { verdict: 'up', draining: false, weight: 1, backup: false } as const;

/** @throws ReeveError `usage` for an address that is none. */
export function fixedPlaces(targets: readonly (string | FixedTarget)[], max: number): Places {
  const list = targets.map((each): Target => {
    const { address, weight = 1, backup = false } = typeof each === 'string' ? { address: each } : each;
    const { protocol, host, port } = parseEndpoint(address);
    if (protocol !== 'tcp')
      throw new ReeveError('usage', `'${address}' is not a target: TCP alone is dialled`);
    if (!(weight >= 0))
      throw new ReeveError('usage', `the weight of ${address} is ${weight}: 0 or more is accepted`);
    return { ...usual, id: formatHostPort(host, port), host, port, weight, backup, max };
  });
  const unique = [...new Map(list.map((target) => [target.id, target])).values()];
  if (unique.length === 0)
    throw new ReeveError('usage', 'targets is empty: at least one host:port is accepted');
  return { list: async () => unique };
}

export interface FoundPlacesOptions {
  query: Query;
  /** Which of the ports of an instance; its main one where absent. */
  port: string | undefined;
  max: number;
  clock: Clock;
}

/** The last good list is kept while the registry gives none. */
export function foundPlaces(
  registry: Pick<Registry, 'find'>,
  { query, port, max, clock }: FoundPlacesOptions,
): Places {
  let known: readonly Target[] | null = null;
  let asOf = Number.NEGATIVE_INFINITY;
  let asked = Number.NEGATIVE_INFINITY;
  let asking: Promise<void> | null = null;
  const ask = () => {
    asked = clock.monotonic();
    asking ??= registry
      .find(query, AbortSignal.timeout(5000))
      .then((instances) => {
        known = targetsOf(instances, port, max);
        asOf = clock.monotonic();
      })
      .finally(() => {
        asking = null;
      });
    // Whoever waits for it hears why; for all others the last list serves.
    asking.catch(() => {});
    return asking;
  };
  return {
    async list(signal) {
      const now = clock.monotonic();
      if (known === null) await abandonable(ask(), signal);
      else if (now - asked > fresh) {
        const answer = ask();
        if (now - asOf > old) await abandonable(answer, signal).catch(() => signal.throwIfAborted());
      }
      return known ?? [];
    },
  };
}

function targetsOf(instances: readonly FoundInstance[], port: string | undefined, max: number): Target[] {
  const all = instances.flatMap((instance): Target[] => {
    const number = port === undefined ? instance.port : instance.ports[port];
    if (number === undefined) return [];
    const { host } = instance;
    return [{ ...usual, id: formatHostPort(host, number), host, port: number, max }];
  });
  return [...new Map(all.map((target) => [target.id, target])).values()].slice(0, most);
}

/** The work goes on for the others. */
function abandonable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
