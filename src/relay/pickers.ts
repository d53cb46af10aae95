// The pickers of one listener: one for everybody, and one for each server name with targets of its own. No I/O.

import { Picker, type PickerOptions, type SharedCount } from '../core/balance/picker.ts';
import type { ListenerPlan, Target, TargetCounters } from './engine.ts';

type Options = Pick<PickerOptions<Target>, 'random' | 'freed'>;

export class Pickers {
  private readonly options: Options;
  private readonly main: Picker;
  private routes = new Map<string, Picker>();
  /** For each picker, the connections to each target: what a target may have counts over all of them. */
  private readonly books = new Set<Map<string, number>>();

  constructor(plan: ListenerPlan, options: Options) {
    this.options = options;
    this.main = this.create(plan, plan.targets);
    this.update(plan);
  }

  for(route: string | null): Picker {
    return (route !== null && this.routes.get(route)) || this.main;
  }

  update(plan: ListenerPlan): void {
    const policy = policyOf(plan);
    this.main.update(policy, plan.targets);
    const before = this.routes;
    this.routes = new Map();
    for (const { serverName, targets } of plan.routes ?? []) {
      const picker = before.get(serverName) ?? this.create(plan, targets);
      picker.update(policy, targets);
      this.routes.set(serverName, picker);
    }
  }

  /** A target that several names lead to is counted once, with all that it has. */
  counters(): TargetCounters[] {
    const all = new Map<string, TargetCounters>();
    for (const picker of [this.main, ...this.routes.values()]) {
      for (const { id, active, total, failures } of picker.counters()) {
        const sum = all.get(id) ?? { id, active: 0, total: 0, failures: 0 };
        sum.active += active;
        sum.total += total;
        sum.failures += failures;
        all.set(id, sum);
      }
    }
    return [...all.values()];
  }

  private create(plan: ListenerPlan, targets: Target[]): Picker {
    return new Picker(policyOf(plan), targets, { ...this.options, shared: this.book() });
  }

  private book(): SharedCount<Target> {
    const own = new Map<string, number>();
    return {
      set: ({ id }, active) => {
        if (active > 0) this.books.add(own.set(id, active));
        else if (own.delete(id) && own.size === 0) this.books.delete(own);
      },
      elsewhere: ({ id }) => {
        let sum = 0;
        for (const book of this.books) if (book !== own) sum += book.get(id) ?? 0;
        return sum;
      },
    };
  }
}

function policyOf(plan: ListenerPlan) {
  return plan.config.balance?.policy ?? 'round-robin';
}
