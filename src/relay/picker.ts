// Which target gets the next connection: smooth weighted round-robin or least connections. No I/O.
import type { BalanceConfig } from '../config/index.ts';
import type { Target, TargetCounters } from './engine.ts';

export type Policy = BalanceConfig['policy'];

interface Place<T extends Target> {
  target: T;
  /** The smooth round-robin's running balance. */
  credit: number;
  active: number;
  total: number;
  failures: number;
  /** No longer in the plan, but connections to it are still open. */
  gone: boolean;
}

/** Keeps the books on one listener's targets. Every `take` is answered by one `leave`. */
export class Picker<T extends Target = Target> {
  private policy: Policy;
  private places = new Map<string, Place<T>>();

  constructor(policy: Policy, targets: T[]) {
    this.policy = policy;
    this.update(policy, targets);
  }

  /** The target for one more connection, already counted as open; null where none may be used. */
  take(tried: ReadonlySet<string> | null): T | null {
    const tier = this.usable(tried);
    if (tier.length === 0) return null;
    const place = this.policy === 'least-connections' ? leastLoaded(tier) : smoothest(tier);
    place.active += 1;
    place.total += 1;
    return place.target;
  }

  /** A connection to the target is over, or (`failed`) never came about. */
  leave(id: string, failed = false): void {
    const place = this.places.get(id);
    if (!place) return;
    place.active -= 1;
    if (failed) place.failures += 1;
    if (place.gone && place.active === 0) this.places.delete(id);
  }

  /** Targets that stay keep their counts and their turn. */
  update(policy: Policy, targets: T[]): void {
    this.policy = policy;
    const planned = new Set(targets.map(({ id }) => id));
    for (const target of targets) {
      const place = this.places.get(target.id);
      if (place) Object.assign(place, { target, gone: false });
      else this.places.set(target.id, { target, credit: 0, active: 0, total: 0, failures: 0, gone: false });
    }
    for (const [id, place] of this.places) {
      if (planned.has(id)) continue;
      place.gone = true;
      if (place.active === 0) this.places.delete(id);
    }
  }

  counters(): TargetCounters[] {
    return [...this.places.values()].map(({ target, active, total, failures }) => ({
      id: target.id,
      active,
      total,
      failures,
    }));
  }

  /**
   * The first of these groups that has anybody in it: primaries that are up, primaries that nobody knows about yet,
   * backups that are up, backups that nobody knows about.
   */
  private usable(tried: ReadonlySet<string> | null): Place<T>[] {
    const tiers: [Place<T>[], Place<T>[], Place<T>[], Place<T>[]] = [[], [], [], []];
    for (const place of this.places.values()) {
      const { id, weight, backup, verdict, draining } = place.target;
      if (place.gone || draining || verdict === 'down' || weight <= 0 || tried?.has(id)) continue;
      tiers[(backup ? 2 : 0) + (verdict === 'up' ? 0 : 1)]!.push(place);
    }
    return tiers.find((tier) => tier.length > 0) ?? [];
  }
}

/**
 * Smooth weighted round-robin, as nginx has it: everybody gains its weight, the richest is chosen and pays the sum.
 * Over a round of the sum of the weights each is chosen exactly as often as its weight says, spread evenly.
 */
function smoothest<T extends Target>(places: Place<T>[]): Place<T> {
  let best = places[0]!;
  let sum = 0;
  for (const place of places) {
    place.credit += place.target.weight;
    sum += place.target.weight;
    if (place.credit > best.credit) best = place;
  }
  best.credit -= sum;
  return best;
}

/** Fewest open connections for its weight; among equals they take turns. */
function leastLoaded<T extends Target>(places: Place<T>[]): Place<T> {
  const load = ({ active, target }: Place<T>) => active / target.weight;
  const least = Math.min(...places.map(load));
  return smoothest(places.filter((place) => load(place) === least));
}
