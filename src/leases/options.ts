// What lease() of the library accepts: what no type has checked is told in words, before anything is leased.
import { ReeveError } from '../core/errors.ts';
import { nearest } from '../core/nearest.ts';
import { type PortRange, parseRange } from '../core/range.ts';
import type { HoldRequest } from './hold.ts';

export interface LeaseOptions {
  /** Ports, all or none. Default 1. */
  count?: number;
  /** `'8000-8100'`, or one port. Default `'20000-32000'`. */
  range?: string | number;
  /** Reject rather than to give another port than the name had before. */
  strict?: boolean;
  /** No port that browsers refuse. */
  http?: boolean;
  /** Ports never given: `[27017, '8000-8100']`. */
  exclude?: (string | number | PortRange)[];
  /** Keep outgoing connections off the port until it is released. Default true, where the platform can. */
  park?: boolean;
  /** Milliseconds after which a process that was stopped has lost it. Default 15,000. */
  ttlMs?: number;
  /** Folder of the lease book. Default: `REEVE_LEASES`, else the state directory of this user. */
  folder?: string;
}

const kinds: Record<keyof LeaseOptions, string[]> = {
  ...{ count: ['number'], range: ['string', 'number'], strict: ['boolean'], http: ['boolean'] },
  ...{ exclude: ['object'], park: ['boolean'], ttlMs: ['number'], folder: ['string'] },
};

/**
 * The request that name and options mean, but for the name of the project where there is none.
 * @throws ReeveError `usage`
 */
export function readLeaseOptions(name: string | undefined, options: LeaseOptions): Omit<HoldRequest, 'name'> {
  if (name !== undefined && typeof name !== 'string') {
    throw wrong(`the name of a lease is a text, not ${JSON.stringify(name)}`);
  }
  if (typeof options !== 'object' || options === null) {
    throw wrong(`the options of a lease are an object, not ${JSON.stringify(options)}`);
  }
  for (const [key, value] of Object.entries(options)) checkOption(key, value);
  const { count, strict, http, ttlMs, range, exclude } = options;
  return {
    ...(count === undefined ? {} : { count }),
    ...(strict === undefined ? {} : { strict }),
    ...(http === undefined ? {} : { http }),
    ...(ttlMs === undefined ? {} : { ttlMs }),
    ...(range === undefined ? {} : { range: parseRange(String(range)) }),
    ...(exclude === undefined ? {} : { exclude: exclude.map(rangeOf) }),
  };
}

function checkOption(key: string, value: unknown): void {
  const accepted = Object.hasOwn(kinds, key) ? kinds[key as keyof LeaseOptions] : undefined;
  if (!accepted) {
    const meant = nearest(key, Object.keys(kinds));
    const all = `Accepted: ${Object.keys(kinds).join(', ')}`;
    const hint =
      key === 'signal' ? 'The signal is the third argument' : meant ? `Did you mean ${meant}?` : all;
    throw wrong(`a lease has no option '${key}'`, hint);
  }
  if (value === undefined || (accepted.includes(typeof value) && (key !== 'exclude' || Array.isArray(value))))
    return;
  const kind = key === 'exclude' ? 'list of ports and ranges' : accepted.join(' or a ');
  throw wrong(`'${key}' of a lease is a ${kind}, not ${JSON.stringify(value)}`);
}

function rangeOf(ports: string | number | PortRange): PortRange {
  const isRange = typeof ports === 'object' && ports !== null;
  return parseRange(isRange ? `${ports.first}-${ports.last}` : String(ports));
}

const wrong = (message: string, hint = "Write lease('web', { count: 2 }, signal)") =>
  new ReeveError('usage', message, { hint });
