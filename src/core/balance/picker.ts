// Which target gets the next connection: tiers, caps and counts; the policy chooses among what is left. No I/O.
import { type Choose, chooseBy, type Entry, type Policy } from './policies.ts';
import type { Target, TargetCounters } from './target.ts';

/** How the connections to a target are counted together with those of other processes. */
export interface SharedCount<T> {
  set(target: T, active: number): void;
  elsewhere(target: T): number;
}

export interface PickerOptions<T> {
  random?: () => number;
  shared?: SharedCount<T>;
  /** There may be room at a target where there was none. */
  freed?: () => void;
}

const alone: SharedCount<unknown> = { set() {}, elsewhere: () => 0 };

/** Keeps the books on one set of targets. Every target that `take` gives is answered by one `leave`. */
export class Picker<T extends Target = Target> {
  private policy: Policy;
  private choose: Choose;
  private readonly random: () => number;
  private readonly shared: SharedCount<T>;
  private readonly freed: () => void;
  private readonly entries = new Map<string, Entry<T>>();
  /** Who may be used, by preference: the first group of whom anybody is left is the one that counts. */
  private tiers: Entry<T>[][] = [];

  constructor(policy: Policy, targets: T[], options: PickerOptions<T> = {}) {
    this.random = options.random ?? Math.random;
    this.shared = options.shared ?? alone;
    this.freed = options.freed ?? (() => {});
    this.policy = policy;
    this.choose = chooseBy(policy, this.random);
    this.update(policy, targets);
  }

  /**
   * The target for one more connection of the client, already counted as open; `full` where each has as many as it may,
   * null where there is none to use.
   */
  take(tried: ReadonlySet<string> | null, client = ''): T | 'full' | null {
    for (const tier of this.tiers) {
      const left = tried ? tier.filter(({ target }) => !tried.has(target.id)) : tier;
      if (left.length > 0) return this.takeFrom(left, client);
    }
    return null;
  }

  /** A connection to the target is over, or (`failed`) never came about. */
  leave(id: string, failed = false): void {
    const entry = this.entries.get(id);
    if (!entry) return;
    this.count(entry, -1);
    if (failed) entry.failures += 1;
    if (entry.gone && entry.active === 0) this.entries.delete(id);
    this.freed();
  }

  /** Targets that stay keep their counts and their turn. */
  update(policy: Policy, targets: T[]): void {
    if (policy !== this.policy) this.choose = chooseBy(policy, this.random);
    this.policy = policy;
    const planned = new Set(targets.map(({ id }) => id));
    for (const target of targets) {
      const entry = this.entries.get(target.id);
      if (entry) Object.assign(entry, { target, gone: false });
      else this.entries.set(target.id, { target, credit: 0, active: 0, total: 0, failures: 0, gone: false });
      if (entry && entry.active > 0) this.shared.set(target, entry.active);
    }
    for (const [id, entry] of this.entries) {
      if (planned.has(id)) continue;
      entry.gone = true;
      if (entry.active === 0) this.entries.delete(id);
    }
    this.tiers = tiersOf([...this.entries.values()]);
    this.freed();
  }

  counters(): TargetCounters[] {
    return [...this.entries.values()].map(({ target, active, total, failures }) => ({
      id: target.id,
      active,
      total,
      failures,
    }));
  }

  private takeFrom(tier: Entry<T>[], client: string): T | 'full' {
    let open = tier.some(({ target }) => target.max !== null) ? tier.filter((e) => this.hasRoom(e, 1)) : tier;
    while (open.length > 0) {
      const entry = this.choose(open, client);
      this.count(entry, 1);
      // Counted first and looked at afterwards: of two processes that do so at once neither can miss the other.
      if (this.hasRoom(entry, 0)) {
        entry.total += 1;
        return entry.target;
      }
      this.count(entry, -1);
      open = open.filter((other) => other !== entry);
    }
    return 'full';
  }

  private hasRoom({ target, active }: Entry<T>, more: number): boolean {
    return target.max === null || active + more + this.shared.elsewhere(target) <= target.max;
  }

  private count(entry: Entry<T>, change: number): void {
    entry.active += change;
    this.shared.set(entry.target, entry.active);
  }
}

/** Primaries that are up, primaries that nobody knows about yet, backups that are up, backups that nobody knows about. */
function tiersOf<T extends Target>(entries: Entry<T>[]): Entry<T>[][] {
  const tiers: Entry<T>[][] = [[], [], [], []];
  for (const entry of entries) {
    const { weight, backup, verdict, draining } = entry.target;
    if (entry.gone || draining || verdict === 'down' || weight <= 0) continue;
    tiers[(backup ? 2 : 0) + (verdict === 'up' ? 0 : 1)]!.push(entry);
  }
  return tiers.filter((tier) => tier.length > 0);
}
