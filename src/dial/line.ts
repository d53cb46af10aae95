// Who waits for something that there is not enough of: first come, first served, not too many, and not for ever.
import type { ReeveError } from '../core/errors.ts';
import { abortError } from '../core/time.ts';

export interface LineRules {
  size: number;
  timeoutMs: number;
}

/** What one who waits is told when it is over. */
export interface Refusals {
  full(): ReeveError;
  late(): ReeveError;
}

export class Line {
  private readonly rules: LineRules;
  private readonly refusals: Refusals;
  private readonly waiters = new Set<() => boolean>();

  constructor(rules: LineRules, refusals: Refusals) {
    this.rules = rules;
    this.refusals = refusals;
  }

  get waiting(): number {
    return this.waiters.size;
  }

  /** What `take` gives, at once or at a later `wake`. @throws what `take` throws, the refusals, or the signal's own. */
  until<T>(take: () => T | null, signal: AbortSignal): Promise<T> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(abortError(signal));
      const first = this.waiters.size === 0 ? take() : null;
      if (first !== null) return resolve(first);
      if (this.waiters.size >= this.rules.size) return reject(this.refusals.full());
      const leave = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', stop);
        this.waiters.delete(attempt);
      };
      const stop = () => {
        leave();
        reject(abortError(signal));
      };
      const timer = setTimeout(() => {
        leave();
        reject(this.refusals.late());
      }, this.rules.timeoutMs);
      const attempt = () => {
        try {
          const taken = take();
          if (taken === null) return false;
          leave();
          resolve(taken);
        } catch (error) {
          leave();
          reject(error);
        }
        return true;
      };
      signal.addEventListener('abort', stop, { once: true });
      this.waiters.add(attempt);
      // What it wants may be there although others wait, for other things.
      this.wake();
    });
  }

  /** There may be something: each tries in turn. */
  wake(): void {
    for (const attempt of [...this.waiters]) if (this.waiters.has(attempt)) attempt();
  }
}
