// One call: attempts at one target after the other, until one succeeds or no more may be made.
import { backoffDelay } from '../core/backoff.ts';
import { RetryBudget } from '../core/balance/retry-budget.ts';
import type { Clock } from '../core/context.ts';
import { ReeveError } from '../core/errors.ts';
import { formatDuration } from '../core/quantity.ts';
import { abortError, sleep } from '../core/time.ts';
import type { BreakerState } from './breaker.ts';
import { Choice, type Taken } from './choice.ts';
import type { Counters } from './counters.ts';
import type { Tell } from './events.ts';
import { attemptFailure, givenUp } from './failure.ts';
import { Line } from './line.ts';
import type { Places } from './places.ts';
import type { Rules } from './rules.ts';

export interface CallsOptions {
  name: string;
  places: Places;
  rules: Rules;
  clock: Clock;
  random: () => number;
  counters: Counters;
  tell: Tell;
  /** The targets are others than before. */
  changed: () => void;
}

/**
 * One attempt. Where it resolves, it sees to `taken.release()`; where it rejects, that is done for it. `last`: there will be
 * no further one. @throws what attemptFailure understands.
 */
export type Attempt<T> = (taken: Taken, last: boolean, signal: AbortSignal) => Promise<T>;

export class Calls {
  readonly choice: Choice;
  private readonly options: CallsOptions;
  private readonly budget: RetryBudget;
  private readonly forPlace: Line;
  private readonly forTurn: Line;
  private open = 0;

  constructor(options: CallsOptions) {
    this.options = options;
    const { rules, clock, random } = options;
    const { queue: size, queueTimeoutMs: timeoutMs } = rules.pool;
    this.forPlace = this.line({ size, timeoutMs }, 'a connection');
    this.forTurn = this.line({ size, timeoutMs }, 'a turn to retry');
    this.budget = new RetryBudget(rules.retry.budget, () => this.open);
    this.choice = new Choice({
      ...{ policy: rules.policy, breaker: rules.breaker, clock, random },
      freed: () => this.forPlace.wake(),
      changed: (target, state) => this.breakerChanged(target, state),
    });
  }

  get waiting(): number {
    return this.forPlace.waiting + this.forTurn.waiting;
  }

  /** `client` serves the policy source-hash: the same goes to the same target. */
  async call<T>(attempt: Attempt<T>, client: string, signal: AbortSignal): Promise<T> {
    const { counters } = this.options;
    counters.calls += 1;
    this.open += 1;
    try {
      const value = await this.attempts(attempt, client, signal);
      counters.succeeded += 1;
      return value;
    } catch (error) {
      counters.failed += 1;
      throw error;
    } finally {
      this.open -= 1;
    }
  }

  private async attempts<T>(attempt: Attempt<T>, client: string, signal: AbortSignal): Promise<T> {
    const { name, rules, counters, random } = this.options;
    const tried = new Set<string>();
    const tries: string[] = [];
    let pauses = 0;
    for (let number = 0; ; number++) {
      const isRetry = number > 0;
      if (isRetry) await this.turn(signal);
      try {
        const taken = await this.place(tried, tries, client, signal);
        counters.attempts += 1;
        if (isRetry) counters.retries += 1;
        const last = number >= rules.retry.attempts;
        try {
          const value = await attempt(taken, last, signal);
          taken.succeeded();
          return value;
        } catch (error) {
          taken.release();
          const failure = attemptFailure(error, false);
          if (signal.aborted || !failure.counts) taken.calledOff();
          else taken.failed();
          if (signal.aborted) throw abortError(signal);
          tries.push(`${taken.target.id}: ${failure.message}`);
          if (last || !failure.again) throw givenUp(name, tries, failure.cause ?? failure);
          tried.add(taken.target.id);
          const afresh = this.choice.targets.every(({ id }) => tried.has(id));
          const delayMs = afresh ? backoffDelay(rules.retry.backoff, pauses++, random) : 0;
          if (afresh) tried.clear();
          this.options.tell('retry', {
            ...{ target: taken.target.id, attempt: number + 1, reason: failure.message, delayMs },
          });
          if (delayMs > 0) await sleep(delayMs, signal);
        }
      } finally {
        if (isRetry) {
          this.budget.end();
          this.forTurn.wake();
        }
      }
    }
  }

  /** A place at a target. @throws ReeveError where none may be asked. */
  private async place(
    tried: Set<string>,
    tries: readonly string[],
    client: string,
    signal: AbortSignal,
  ): Promise<Taken> {
    const { places, name } = this.options;
    if (this.choice.update(await places.list(signal))) this.options.changed();
    return this.forPlace.until(() => {
      let taken = this.choice.take(tried, client);
      // Those that are left are shut off: rather one that has failed this call than none.
      if (taken === null && tried.size > 0) {
        tried.clear();
        taken = this.choice.take(tried, client);
      }
      if (taken === 'full') return null;
      if (taken !== null) return taken;
      const readyIn = this.choice.readyIn();
      if (readyIn === null)
        throw new ReeveError('not-found', `${name} has no target`, {
          hint: 'reeve services lists what there is',
        });
      const before = tries.length > 0 ? `; this call has tried ${tries.join('; ')}` : '';
      throw new ReeveError(
        'unreachable',
        `${name}: each of its targets has failed too often, and is asked again in ${formatDuration(Math.max(1, readyIn))} at the earliest${before}`,
      );
    }, signal);
  }

  private async turn(signal: AbortSignal): Promise<void> {
    if (this.forTurn.waiting === 0 && this.budget.begin()) return;
    this.options.counters.paced += 1;
    await this.forTurn.until(() => this.budget.begin() || null, signal);
  }

  private line(rules: { size: number; timeoutMs: number }, what: string): Line {
    const { name, counters, tell } = this.options;
    return new Line(rules, {
      full: () => {
        counters.queueFull += 1;
        tell('queue-full', { what, size: rules.size });
        return new ReeveError('conflict', `${name}: ${rules.size} calls wait for ${what} already`);
      },
      late: () => {
        counters.queueTimeouts += 1;
        tell('queue-timeout', { what, timeoutMs: rules.timeoutMs });
        const words = `${name}: there was no ${what.replace(/^a /, '')} within ${formatDuration(rules.timeoutMs)}`;
        return new ReeveError('timeout', words);
      },
    });
  }

  private breakerChanged(target: string, state: BreakerState): void {
    const { counters, tell } = this.options;
    if (state.kind === 'open') {
      if (state.forMs === 0) return;
      counters.opened += 1;
      tell('open', { target, forMs: state.forMs });
    } else if (state.kind === 'half-open') {
      counters.halfOpened += 1;
      tell('half-open', { target });
    } else {
      counters.closed += 1;
      tell('closed', { target });
    }
    this.forPlace.wake();
  }
}
