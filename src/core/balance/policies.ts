// How the next target is chosen among those that may be used. No I/O.
import { HashRing } from './source-hash.ts';
import type { Target } from './target.ts';

export const policies = ['round-robin', 'least-connections', 'random', 'source-hash'] as const;
export type Policy = (typeof policies)[number];

/** What the picker knows of one target. */
export interface Entry<T extends Target = Target> {
  target: T;
  /** The smooth round-robin's running balance. */
  credit: number;
  active: number;
  total: number;
  failures: number;
  /** No longer in the plan, but connections to it are still open. */
  gone: boolean;
}

/** `entries` has at least one; the very same array means that nothing about them has changed but their counts. */
export type Choose = <T extends Target>(entries: Entry<T>[], client: string) => Entry<T>;

export function chooseBy(policy: Policy, random: () => number): Choose {
  if (policy === 'least-connections') return leastLoaded;
  if (policy === 'random') return (entries) => betterOfTwo(entries, random);
  if (policy === 'source-hash') {
    const ring = new HashRing();
    return (entries, client) => ring.pick(entries, client);
  }
  return smoothest;
}

/**
 * Smooth weighted round-robin, as nginx has it: everybody gains its weight, the richest is chosen and pays the sum.
 * Over a round of the sum of the weights each is chosen exactly as often as its weight says, spread evenly.
 */
function smoothest<T extends Target>(entries: Entry<T>[]): Entry<T> {
  let best = entries[0]!;
  let sum = 0;
  for (const entry of entries) {
    entry.credit += entry.target.weight;
    sum += entry.target.weight;
    if (entry.credit > best.credit) best = entry;
  }
  best.credit -= sum;
  return best;
}

const load = ({ active, target }: Entry) => active / target.weight;

/** Fewest open connections for its weight; among equals they take turns. */
function leastLoaded<T extends Target>(entries: Entry<T>[]): Entry<T> {
  const least = Math.min(...entries.map(load));
  return smoothest(entries.filter((entry) => load(entry) === least));
}

/** Two are drawn by weight, and the less loaded one is taken: nearly as even as asking all, and no herd. */
function betterOfTwo<T extends Target>(entries: Entry<T>[], random: () => number): Entry<T> {
  if (entries.length === 1) return entries[0]!;
  const first = draw(entries, random, null);
  const second = draw(entries, random, first);
  return load(second) < load(first) ? second : first;
}

function draw<T extends Target>(
  entries: Entry<T>[],
  random: () => number,
  except: Entry<T> | null,
): Entry<T> {
  let sum = 0;
  for (const entry of entries) if (entry !== except) sum += entry.target.weight;
  let left = random() * sum;
  let last = entries[0]!;
  for (const entry of entries) {
    if (entry === except) continue;
    last = entry;
    left -= entry.target.weight;
    if (left < 0) break;
  }
  return last;
}
