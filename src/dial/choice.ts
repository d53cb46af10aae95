// Which target is tried next: the policy's choice among those whose breaker lets one through. No I/O.
import { Picker } from '../core/balance/picker.ts';
import type { Policy } from '../core/balance/policies.ts';
import type { Target } from '../core/balance/target.ts';
import type { Clock } from '../core/context.ts';
import { Breaker, type BreakerRules, type BreakerState } from './breaker.ts';

/** One target that was chosen, counted as in use until `release`. */
export interface Taken {
  readonly target: Target;
  succeeded(): void;
  failed(): void;
  /** Neither: it tells nothing of the target. */
  calledOff(): void;
  /** May be called more than once. */
  release(): void;
}

export interface ChoiceOptions {
  policy: Policy;
  breaker: BreakerRules;
  clock: Clock;
  random: () => number;
  changed: (target: string, state: BreakerState) => void;
  /** There may be room where there was none. */
  freed: () => void;
}

export class Choice {
  private readonly options: ChoiceOptions;
  private readonly picker: Picker;
  private readonly breakers = new Map<string, Breaker>();
  private list: readonly Target[] = [];

  constructor(options: ChoiceOptions) {
    this.options = options;
    const { policy, random, freed } = options;
    this.picker = new Picker(policy, [], { random, freed });
  }

  /** Those that stay keep their counts and their breakers. False: nothing has changed. */
  update(targets: readonly Target[]): boolean {
    if (targets === this.list) return false;
    this.list = targets;
    const ids = new Set(targets.map(({ id }) => id));
    for (const id of this.breakers.keys()) if (!ids.has(id)) this.breakers.delete(id);
    for (const id of ids) {
      if (this.breakers.has(id)) continue;
      this.breakers.set(id, new Breaker(this.options.breaker, (state) => this.options.changed(id, state)));
    }
    this.picker.update(this.options.policy, [...targets]);
    return true;
  }

  get targets(): readonly Target[] {
    return this.list;
  }

  /** `full`: wait. Null: none that has not been tried, or whose breaker is closed. */
  take(tried: ReadonlySet<string>, client: string): Taken | 'full' | null {
    const now = this.options.clock.monotonic();
    const barred = new Set(tried);
    for (const [id, breaker] of this.breakers) if (!breaker.allows(now)) barred.add(id);
    const target = this.picker.take(barred, client);
    if (target === null || target === 'full') return target;
    const breaker = this.breakers.get(target.id)!;
    const pass = breaker.begin(now);
    let released = false;
    return {
      target,
      succeeded: () => breaker.succeeded(pass),
      failed: () => breaker.failed(pass, this.options.clock.monotonic()),
      calledOff: () => breaker.calledOff(pass, this.options.clock.monotonic()),
      release: () => {
        if (released) return;
        released = true;
        this.picker.leave(target.id);
      },
    };
  }

  /** Milliseconds until the first breaker lets one through; null where there is no target. */
  readyIn(): number | null {
    const now = this.options.clock.monotonic();
    const times = [...this.breakers.values()].map((breaker) => breaker.readyAt(now) - now);
    return times.length === 0 ? null : Math.max(0, Math.min(...times));
  }

  status() {
    return this.picker.counters().map(({ id, active, total }) => ({
      ...{ id, active, total, breaker: this.breakers.get(id)?.state.kind ?? ('closed' as const) },
    }));
  }
}
