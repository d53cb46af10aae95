// What the workers of one listener have reported, added up. No I/O.
import type { Target, TargetCounters } from '../engine.ts';
import type { News } from './protocol.ts';

interface Share {
  active: number;
  waiting: number;
  targets: TargetCounters[];
}

/** `Worker` is only a name here. */
export class Tally<Worker> {
  private readonly shares = new Map<Worker, Share>();
  /** Totals of workers that are gone, by target. */
  private readonly before = new Map<string, TargetCounters>();

  get active(): number {
    return [...this.shares.values()].reduce((sum, { active }) => sum + active, 0);
  }

  get waiting(): number {
    return sum([...this.shares.values()].map(({ waiting }) => waiting));
  }

  take(worker: Worker, { opened, ends, unlisted, waiting, targets }: News): void {
    const share = this.shares.get(worker) ?? { active: 0, waiting: 0, targets: [] };
    const ended = ends.filter(([fresh]) => !fresh).length + sum(unlisted.ended.map(([, count]) => count));
    share.active += opened.length + unlisted.opened - ended;
    share.waiting = waiting;
    share.targets = targets;
    this.shares.set(worker, share);
  }

  /** Its connections are gone with it; how many there were. What they had added up to stays. */
  drop(worker: Worker): number {
    const share = this.shares.get(worker);
    if (!share) return 0;
    this.shares.delete(worker);
    for (const target of share.targets) add(this.before, { ...target, active: 0 });
    return share.active;
  }

  /** The targets of the plan in its order, then those that only have connections left. */
  targets(plan: Target[]): TargetCounters[] {
    const sums = new Map(plan.map(({ id }) => [id, { id, active: 0, total: 0, failures: 0 }]));
    for (const { targets } of this.shares.values()) {
      for (const target of targets) if (sums.has(target.id) || target.active > 0) add(sums, target);
    }
    for (const target of this.before.values()) if (sums.has(target.id)) add(sums, target);
    return [...sums.values()];
  }
}

function add(sums: Map<string, TargetCounters>, { id, active, total, failures }: TargetCounters): void {
  const old = sums.get(id);
  sums.set(id, {
    id,
    active: (old?.active ?? 0) + active,
    total: (old?.total ?? 0) + total,
    failures: (old?.failures ?? 0) + failures,
  });
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
