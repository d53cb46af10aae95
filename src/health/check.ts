// One check: probes at its times, keeps the verdict, tells when it changes.
import type { ActionConfig } from '../config/index.ts';
import type { Context } from '../core/context.ts';
import { errorMessage } from '../core/errors.ts';
import { type HealthState, initialHealth, isChanging, stepHealth } from '../core/health.ts';
import type { Rate } from '../core/quantity.ts';
import type { HealthVerdict } from '../core/verdict.ts';
import { type CheckTiming, delayAfter, firstDelay } from './cadence.ts';
import type { ProbeOptions, ProbeResult } from './outcome.ts';

/** A longer setTimeout fires at once (Node's timers hold 31 bits). */
const longestTimer = 2 ** 31 - 1;

export interface CheckSpec {
  /** Subject of its events. */
  name: string;
  url: string;
  timing: CheckTiming;
  /** Something that is starting: until its first success, failures within this time (ms) do not count. */
  graceMs?: number;
  /** Whether a change of the verdict is an event of its own. */
  emits: boolean;
  /** Default `unknown`. */
  initial?: HealthVerdict;
  /** Whether its verdict outlives this process. */
  kept?: boolean;
  /** What it asks, where the URL and the options do not tell it: another one starts afresh. */
  definition?: string;
  options?: Omit<ProbeOptions, 'timeout'>;
  alerts?: AlertPolicy;
  /** After every result, once the state has been brought up to date. */
  onResult?(check: Check): void;
}

/** What is done when the verdict changes. */
export interface AlertPolicy {
  onDown: readonly ActionConfig[];
  onUp: readonly ActionConfig[];
  /** Milliseconds; null: onDown is told once. */
  repeat: number | null;
  flap: Rate;
  /** Names of checks: while one of them is down, nothing is done. */
  dependsOn: readonly string[];
}

/** What a check was before this process, or before it was stopped. */
export interface Standing {
  state: HealthState;
  quality: HealthState;
  since: number;
  summary: string;
}

export interface Check extends Standing {
  readonly name: string;
  readonly url: string;
  readonly state: HealthState;
  /** `down` while a run of results was degraded. */
  readonly quality: HealthState;
  /** Up, and to be looked at. */
  readonly degraded: boolean;
  readonly timing: CheckTiming;
  /** Wall clock (ms) of the last change of the verdict. */
  readonly since: number;
  readonly last: ProbeResult | null;
  /** Wall clock (ms) of the last result. */
  readonly lastAt: number | null;
  /** Wall clock (ms) of the start of the probe that gave it. */
  readonly lastStartedAt: number | null;
  /** Wall clock (ms); null while a probe is due or under way, and after stop. */
  readonly nextAt: number | null;
  /** Why the verdict is what it is, in words. */
  readonly summary: string;
  /** Probes now; after the probe that is under way, if there is one. */
  nudge(): void;
  /** From now on; the verdict stays. */
  adjust(timing: CheckTiming, alerts?: AlertPolicy): void;
  /** Cancels the probe in flight; nothing is told any more. */
  stop(): void;
}

/** What the scheduler gives to its checks. */
export interface Gate {
  /** Asks for a turn: `run` is called once there is room. */
  enter(check: ScheduledCheck): void;
  leave(check: ScheduledCheck): void;
  probe(url: string, options: ProbeOptions, signal: AbortSignal): Promise<ProbeResult>;
  stalledSince(since: number): boolean;
  /** A failure that this machine itself may be the reason of becomes unknown. */
  doubted(url: string, result: ProbeResult, signal: AbortSignal): Promise<ProbeResult>;
  /** After every result, once the state has been brought up to date. */
  told(check: ScheduledCheck): void;
}

export class ScheduledCheck implements Check {
  state: HealthState;
  quality: HealthState;
  since: number;
  last: ProbeResult | null = null;
  lastAt: number | null = null;
  lastStartedAt: number | null = null;
  nextAt: number | null = null;
  summary: string;
  #spec: CheckSpec;
  readonly #context: Context;
  readonly #gate: Gate;
  readonly #addedAt: number;
  readonly #cancel = new AbortController();
  #timing: CheckTiming;
  #startTries: number | null;
  #timer: NodeJS.Timeout | undefined;
  #running = false;
  #again = false;

  constructor(spec: CheckSpec, context: Context, gate: Gate, before: Standing | null = null) {
    this.#spec = spec;
    this.#context = context;
    this.#gate = gate;
    this.#timing = spec.timing;
    this.#startTries = spec.graceMs === undefined ? null : 0;
    this.#addedAt = context.clock.monotonic();
    this.state = before?.state ?? { ...initialHealth, verdict: spec.initial ?? 'unknown' };
    this.quality = before?.quality ?? initialHealth;
    this.since = before?.since ?? context.clock.wall();
    this.summary = before?.summary ?? 'not probed yet';
    this.#dueIn(this.#startTries === null ? firstDelay(spec.timing, context.random) : 0);
  }

  get name(): string {
    return this.#spec.name;
  }

  get url(): string {
    return this.#spec.url;
  }

  get spec(): CheckSpec {
    return this.#spec;
  }

  get timing(): CheckTiming {
    return this.#timing;
  }

  get degraded(): boolean {
    return this.state.verdict === 'up' && this.quality.verdict === 'down';
  }

  nudge(): void {
    if (this.#running) this.#again = true;
    else if (this.nextAt !== null) this.#dueIn(0);
  }

  adjust(timing: CheckTiming, alerts?: AlertPolicy): void {
    this.#timing = timing;
    this.#spec = { ...this.#spec, ...(alerts && { alerts }) };
    if (this.nextAt !== null) this.#dueIn(this.#delay());
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.nextAt = null;
    this.#cancel.abort();
    this.#gate.leave(this);
  }

  /** One probe, start to end. Never rejects. */
  async run(): Promise<void> {
    const { signal } = this.#cancel;
    const { clock, log } = this.#context;
    const { timeout } = this.#timing;
    this.#running = true;
    const started = clock.monotonic();
    try {
      const startedAt = clock.wall();
      const found = await this.#gate.probe(this.url, { timeout, ...this.#spec.options }, signal);
      if (signal.aborted) return;
      const result = this.#doubted(found, started);
      const certain = result.verdict === 'down' ? await this.#gate.doubted(this.url, result, signal) : result;
      if (signal.aborted) return;
      this.lastStartedAt = startedAt;
      this.#take(certain);
      // First: whoever hears of the result may stop the check for it.
      this.#gate.told(this);
      this.#spec.onResult?.(this);
    } catch (error) {
      if (!signal.aborted) log.error({ check: this.name }, `check failed: ${errorMessage(error)}`);
    } finally {
      this.#running = false;
      if (!signal.aborted) this.#dueIn(this.#again ? 0 : this.#delay());
      this.#again = false;
    }
  }

  /** A failure that was measured while this process itself stood still says nothing about the other side. */
  #doubted(result: ProbeResult, started: number): ProbeResult {
    const timerLate = result.reason === 'timeout' && result.ms > this.#timing.timeout * 1.25 + 50;
    if (result.verdict !== 'down' || !(timerLate || this.#gate.stalledSince(started))) return result;
    const detail = `reeve itself stood still during the probe (${result.detail ?? result.reason})`;
    return { ...result, verdict: 'unknown', reason: 'stalled', detail };
  }

  #take(result: ProbeResult): void {
    const { clock } = this.#context;
    this.last = result;
    this.lastAt = clock.wall();
    const before = this.state.verdict;
    const wasDegraded = this.degraded;
    if (this.#startTries !== null) {
      const inGrace = clock.monotonic() - this.#addedAt < (this.#spec.graceMs ?? 0);
      this.#startTries = result.verdict === 'up' || !inGrace ? null : this.#startTries + 1;
    }
    if (this.#startTries === null) this.state = stepHealth(this.state, result.verdict, this.#timing);
    const quality = result.verdict !== 'up' ? 'unknown' : result.degraded ? 'down' : 'up';
    this.quality = stepHealth(this.quality, quality, this.#timing);
    this.summary = summarize(this, before, result, this.#timing);
    if (this.state.verdict !== before || this.degraded !== wasDegraded) this.#changed(before, result);
  }

  #changed(before: HealthVerdict, result: ProbeResult): void {
    const { verdict } = this.state;
    if (verdict !== before) this.since = this.#context.clock.wall();
    if (!this.#spec.emits) return;
    const { degraded } = this;
    const detail = { verdict, before, degraded, reason: result.reason, ms: result.ms };
    this.#context.emit({ kind: 'health', subject: this.name, message: this.summary, detail });
  }

  #delay(): number {
    const state = isChanging(this.state) ? this.state : isChanging(this.quality) ? this.quality : this.state;
    return delayAfter(state, this.#startTries, this.#timing, this.#context.random);
  }

  #dueIn(ms: number): void {
    clearTimeout(this.#timer);
    const delay = Math.min(ms, longestTimer);
    this.nextAt = this.#context.clock.wall() + delay;
    this.#timer = setTimeout(() => {
      this.nextAt = null;
      this.#gate.enter(this);
    }, delay);
  }
}

function summarize(
  { state: { verdict, streak }, degraded }: Pick<Check, 'state' | 'degraded'>,
  before: HealthVerdict,
  last: ProbeResult,
  { fall, rise }: CheckTiming,
): string {
  const seen = last.detail ?? last.reason ?? last.verdict;
  if (verdict !== before) {
    if (verdict === 'down') return `down: ${fall} of ${fall} probes failed, last: ${seen}`;
    return before === 'down' ? `up: ${rise} of ${rise} probes succeeded, last: ${seen}` : `up: ${seen}`;
  }
  if (degraded) return `degraded: ${seen}`;
  if (streak > 0)
    return `${verdict}: ${streak} of ${verdict === 'down' ? rise : fall} against it, last: ${seen}`;
  return last.verdict === verdict ? `${verdict}: ${seen}` : `${verdict}, last: ${seen}`;
}
