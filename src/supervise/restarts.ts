// When an instance is started again, and why it was the last few times.
import type { ServiceConfig } from '../config/index.ts';
import type { Context } from '../core/context.ts';
import { afterFailure, type NextStart, noFailures } from './retry.ts';

/** Closed: it is a label of the metrics. */
export const restartReasons = [
  'exit',
  'signal',
  'could-not-start',
  'failed-check',
  'lost-port',
  'asked-for',
  'configuration',
] as const;

export type RestartReason = (typeof restartReasons)[number];

export interface Cause {
  reason: RestartReason;
  /** `exit code 1`, `killed by SIGKILL`… */
  detail: string;
}

export interface Restart extends Cause {
  /** Wall clock in milliseconds. */
  at: number;
}

/** Enough to see a pattern; details of hostile length are cut. */
const kept = 20;
const longestDetail = 500;

export class Restarts {
  readonly #context: Context;
  readonly #start: () => void;
  readonly #told: (reason: RestartReason) => void;
  #history: readonly Restart[] = [];
  #retry = noFailures;
  #timer: NodeJS.Timeout | undefined;
  #nextAt: number | null = null;

  constructor(context: Context, start: () => void, told: (reason: RestartReason) => void) {
    this.#context = context;
    this.#start = start;
    this.#told = told;
  }

  /** Oldest first. */
  get history(): readonly Restart[] {
    return this.#history;
  }

  /** Wall clock (ms) of the planned start. */
  get nextAt(): number | null {
    return this.#nextAt;
  }

  /** In a row. */
  get failures(): number {
    return this.#retry.failures;
  }

  record({ reason, detail }: Cause): void {
    const restart = { at: this.#context.clock.wall(), reason, detail: detail.slice(0, longestDetail) };
    this.#history = [...this.#history, restart].slice(-kept);
    this.#told(reason);
  }

  /** Starts again after a delay that grows; `healthyFor` in milliseconds. */
  afterFailure(cause: Cause, policy: ServiceConfig['restart'], healthyFor: number): NextStart {
    const { clock, random } = this.#context;
    const next = afterFailure(this.#retry, healthyFor, clock.monotonic(), policy, random);
    this.#retry = next.retry;
    this.soon(cause, next.delay);
    return next;
  }

  /** Starts again, and no failure is counted. */
  soon(cause: Cause, delay: number): void {
    this.record(cause);
    this.#nextAt = this.#context.clock.wall() + delay;
    this.#timer = setTimeout(this.#start, delay);
  }

  cancel(): void {
    clearTimeout(this.#timer);
    this.#nextAt = null;
  }

  forgetFailures(): void {
    this.#retry = noFailures;
  }
}
