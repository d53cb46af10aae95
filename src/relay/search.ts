// One connection's search for a target that takes it: which to try next, and when to give up. No I/O.

import type { Picker } from '../core/balance/picker.ts';
import type { RetryBudget } from '../core/balance/retry-budget.ts';
import type { EndReason, Target } from './engine.ts';

/** Every target that `next` gives is answered by `failed` or by the picker's `leave`. */
export class Search {
  /** Targets that did not take the connection before one did, or before it was given up. */
  retries = 0;
  /** The last failure, for people. */
  failure: string | null = null;
  private tried: Set<string> | null = null;
  /** Where a further target is being tried: what that is counted in. */
  private budget: RetryBudget | null = null;
  private denied = false;

  /** `full`: wait, and ask again. Null where none is left that may be tried: then `reason` tells why. */
  next<T extends Target>(
    picker: Picker<T>,
    retries: number,
    budget: RetryBudget,
    client: string,
  ): T | 'full' | null {
    if (this.tried) {
      if (this.tried.size > retries) return this.givenUp();
      if (!this.budget && !budget.begin()) {
        this.denied = true;
        return null;
      }
      this.budget = budget;
    }
    const target = picker.take(this.tried, client);
    if (target === null) return this.givenUp();
    if (this.tried && target !== 'full') this.retries = this.tried.size;
    return target;
  }

  failed<T extends Target>(picker: Picker<T>, target: T, code: string): void {
    this.failure = `${target.id}: ${code}`;
    this.tried ??= new Set();
    this.tried.add(target.id);
    picker.leave(target.id, true);
  }

  /** Connected, or given up by whoever wanted it. May be called more than once. */
  over(): void {
    this.budget?.end();
    this.budget = null;
  }

  get choosy(): boolean {
    return this.tried !== null;
  }

  get reason(): EndReason {
    if (this.denied) return 'retry-budget';
    return this.failure === null ? 'no-target' : 'connect-failed';
  }

  private givenUp(): null {
    this.over();
    return null;
  }
}
