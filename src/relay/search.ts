// One connection's search for a target that takes it: which to try next, and when to give up. No I/O.
import type { EndReason, Target } from './engine.ts';
import type { Picker } from './picker.ts';

/** Every target that `next` gives is answered by `failed` or by the picker's `leave`. */
export class Search {
  /** Targets that did not take the connection before one did, or before it was given up. */
  retries = 0;
  /** The last failure, for people. */
  failure: string | null = null;
  private tried: Set<string> | null = null;

  /** Null where none is left that may be tried: then `reason` tells why. */
  next<T extends Target>(picker: Picker<T>, retries: number): T | null {
    if (this.tried && this.tried.size > retries) return null;
    const target = picker.take(this.tried);
    if (target && this.tried) this.retries = this.tried.size;
    return target;
  }

  failed<T extends Target>(picker: Picker<T>, target: T, code: string): void {
    picker.leave(target.id, true);
    this.failure = `${target.id}: ${code}`;
    this.tried ??= new Set();
    this.tried.add(target.id);
  }

  get reason(): EndReason {
    return this.failure === null ? 'no-target' : 'connect-failed';
  }
}
