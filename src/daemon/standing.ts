// How each target of one listener stands: its health, what its connections tell, what a person says. Engines get the outcome.
import type { BalanceConfig } from '../config/index.ts';
import type { Context } from '../core/context.ts';
import { Outliers } from '../core/outliers.ts';
import { formatDuration } from '../core/quantity.ts';
import type { Memory } from '../health/index.ts';
import type { EndReason, Target } from '../relay/index.ts';
import type { SourcedTarget } from './targets.ts';

export interface Standing extends SourcedTarget {
  /** What the configuration or a person gives it; `weight` is less while it starts slowly. */
  fullWeight: number;
  /** Monotonic milliseconds; null where it is not ejected. */
  ejectedUntil: number | null;
  ejections: number;
}

export interface StandingHooks {
  /** Something is to be told to the engine. */
  changed(): void;
  /** Every connection to the target is to end. */
  end(target: string, reason: EndReason): void;
  /** Ejections outlive the daemon. */
  memory: Pick<Memory, 'ejected' | 'keepEjected'>;
}

const slowSteps = 10;
const never = { failures: 0, for: 1, longest: 1 };

export class Standings {
  panic = false;
  private readonly listener: string;
  private readonly context: Context;
  private readonly hooks: StandingHooks;
  private balance: BalanceConfig | undefined;
  private readonly outliers = new Outliers(never);
  private readonly drained = new Map<string, NodeJS.Timeout | null>();
  private readonly weights = new Map<string, { weight: number; configured: number }>();
  /** Since when a target that has come back is brought up to its weight. */
  private readonly risingSince = new Map<string, number>();
  private readonly seen = new Map<string, { down: boolean; fit: boolean }>();
  private timer: NodeJS.Timeout | undefined;
  private closed = false;

  constructor(listener: string, context: Context, hooks: StandingHooks) {
    this.listener = listener;
    this.context = context;
    this.hooks = hooks;
    const { clock } = context;
    for (const { target, until, ejections } of hooks.memory.ejected(listener))
      this.outliers.restore(target, clock.monotonic() + until - clock.wall(), ejections);
  }

  configure(balance: BalanceConfig | undefined): void {
    this.balance = balance;
    this.outliers.rules = balance?.eject ?? never;
  }

  /** Notices what has changed, and says so. Called whenever something may have. */
  observe(sourced: readonly SourcedTarget[]): void {
    const now = this.now();
    const back = this.outliers.returning(now);
    for (const id of back) this.tell(id, `${id} is in balance again`, { ejected: false });
    if (back.length > 0) this.remember();
    const ids = new Set(sourced.map(({ id }) => id));
    this.outliers.keep(ids);
    for (const map of [this.weights, this.risingSince, this.seen])
      for (const id of map.keys()) if (!ids.has(id)) map.delete(id);
    for (const target of sourced) this.follow(target, now);
    this.followPanic(sourced);
    this.wakeUp(now);
  }

  view(sourced: readonly SourcedTarget[]): Standing[] {
    const now = this.now();
    return sourced.map((target) => {
      const fullWeight = this.weightOf(target);
      return {
        ...target,
        draining: target.draining || this.drained.has(target.id),
        weight: fullWeight * this.shareOf(target.id, now),
        fullWeight,
        ejectedUntil: this.outliers.until(target.id),
        ejections: this.outliers.ejections(target.id),
      };
    });
  }

  /** What an engine is to know: who is ejected gets nothing new; in a panic all are as good as any. */
  targets(sourced: readonly SourcedTarget[]): Target[] {
    return this.view(sourced).map(({ here, fullWeight: _, ejectedUntil, ejections: __, ...target }) => {
      if (this.panic && here) return { ...target, verdict: 'up' };
      return { ...target, draining: target.draining || ejectedUntil !== null };
    });
  }

  /** A connection to the target did not come about (`code`), or went well (null). */
  outcome(id: string, code: string | null, sourced: () => readonly SourcedTarget[]): void {
    if (code === null) {
      this.outliers.took(id);
      return;
    }
    const fit = this.view(sourced()).filter(isFit);
    if (!fit.some((target) => target.id === id) && !this.panic) return;
    const others = fit.map((target) => target.id);
    const length = this.outliers.failed(id, code, others, this.now());
    if (length === null) return;
    this.tell(id, `${id} is ejected for ${formatDuration(length)}: connections to it fail (${code})`, {
      ejected: true,
      for: length,
      code,
    });
    this.remember();
    this.hooks.changed();
  }

  /** `deadline`: milliseconds after which the connections that are still open are ended. */
  drain(id: string, deadline: number | null): void {
    clearTimeout(this.drained.get(id) ?? undefined);
    const late = deadline === null ? null : setTimeout(() => this.hooks.end(id, 'drained'), deadline);
    this.drained.set(id, late?.unref() ?? null);
    const after = deadline === null ? '' : `; what is open ends in ${formatDuration(deadline)}`;
    this.tell(id, `${id} gets no new connections${after}`, { draining: true });
  }

  resume(id: string): void {
    clearTimeout(this.drained.get(id) ?? undefined);
    this.drained.delete(id);
    this.tell(id, `${id} gets connections again`, { draining: false });
  }

  /** Null: what the configuration says. It counts again anyway when it says another number. */
  setWeight({ id, weight: configured }: SourcedTarget, weight: number | null): void {
    if (weight === null) this.weights.delete(id);
    else this.weights.set(id, { weight, configured });
    this.tell(id, `${id} has weight ${weight ?? configured}`, { weight: weight ?? configured });
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    for (const late of this.drained.values()) clearTimeout(late ?? undefined);
  }

  private follow(target: SourcedTarget, now: number): void {
    const { id, here, verdict } = target;
    const before = this.seen.get(id);
    const down = here && verdict === 'down';
    const fit = here && !down && !this.outliers.isEjected(id);
    this.seen.set(id, { down, fit });
    const override = this.weights.get(id);
    if (override && override.configured !== target.weight) this.weights.delete(id);
    if (before && down && !before.down && this.balance?.onDown !== 'keep') this.hooks.end(id, 'target-down');
    if (before && fit && !before.fit && this.balance?.slowStart !== undefined) this.risingSince.set(id, now);
    else if (!fit) this.risingSince.delete(id);
  }

  private followPanic(sourced: readonly SourcedTarget[]): void {
    const wanted = this.view(sourced).filter(({ here, draining, weight }) => here && !draining && weight > 0);
    const primaries = wanted.filter(({ backup }) => !backup);
    const pool = primaries.length > 0 ? primaries : wanted;
    const fit = pool.filter(isFit).length;
    // A backup that is fit is what one has it for.
    const spare = primaries.length > 0 && wanted.some((target) => target.backup && isFit(target));
    const panic = !spare && pool.length > 0 && 100 * fit < (this.balance?.panic ?? 0) * pool.length;
    if (panic === this.panic) return;
    this.panic = panic;
    const message = panic
      ? `only ${fit} of ${pool.length} targets are fit: all of them get connections`
      : `${fit} of ${pool.length} targets are fit: the others get no connections`;
    const subject = `listener/${this.listener}`;
    this.context.emit({ kind: 'target', subject, message, detail: { panic, fit, targets: pool.length } });
  }

  private weightOf({ id, weight }: SourcedTarget): number {
    return this.weights.get(id)?.weight ?? weight;
  }

  /** In steps, so that engines are not told anew all the time. */
  private shareOf(id: string, now: number): number {
    const since = this.risingSince.get(id);
    const whole = this.balance?.slowStart;
    if (since === undefined || whole === undefined || now - since >= whole) return 1;
    return (Math.floor(((now - since) / whole) * slowSteps) + 1) / (slowSteps + 1);
  }

  /** Looks again when the next ejection or step is over. */
  private wakeUp(now: number): void {
    const { slowStart } = this.balance ?? {};
    for (const [id, since] of this.risingSince)
      if (slowStart === undefined || now - since >= slowStart) this.risingSince.delete(id);
    const step = this.risingSince.size > 0 ? slowStart! / slowSteps : Number.POSITIVE_INFINITY;
    const next = Math.min(step, (this.outliers.nextReturn() ?? Number.POSITIVE_INFINITY) - now);
    clearTimeout(this.timer);
    if (this.closed || next === Number.POSITIVE_INFINITY) return;
    // A millisecond later: timers may run a fraction early.
    this.timer = setTimeout(() => this.hooks.changed(), Math.max(0, next) + 1).unref();
  }

  private remember(): void {
    const ahead = this.context.clock.wall() - this.now();
    const ejected = this.outliers.ejected();
    this.hooks.memory.keepEjected(
      this.listener,
      ejected.map(({ id, until, ejections }) => ({ target: id, until: until + ahead, ejections })),
    );
  }

  private now(): number {
    return this.context.clock.monotonic();
  }

  private tell(id: string, message: string, detail: Record<string, unknown>): void {
    const subject = `target/${this.listener}/${id}`;
    this.context.emit({ kind: 'target', subject, message, detail: { target: id, ...detail } });
  }
}

function isFit({ here, draining, verdict, weight, ejectedUntil }: Standing): boolean {
  return here && !draining && verdict !== 'down' && weight > 0 && ejectedUntil === null;
}
