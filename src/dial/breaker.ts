// Whether one target is asked at all: closed, open for a while after failures in a row, half-open for one probe. Pure.

export interface BreakerRules {
  /** Consecutive failures that open it; 0 never does. */
  failures: number;
  /** Milliseconds that it stays open the first time; twice as long after each probe that failed. */
  openMs: number;
  longestMs: number;
  /** Milliseconds that the one probe has: after that it has failed. */
  probeMs: number;
}

export type BreakerState =
  | { kind: 'closed'; streak: number }
  | { kind: 'open'; until: number; forMs: number }
  | { kind: 'half-open'; until: number };

/** One try that was let through; tells how it went, once. What comes after the state has moved on changes nothing. */
export type Pass = number;

export class Breaker {
  state: BreakerState = { kind: 'closed', streak: 0 };
  private readonly rules: BreakerRules;
  private readonly changed: (state: BreakerState, before: BreakerState['kind']) => void;
  /** Probes that have failed since it was last closed. */
  private relapses = 0;
  private life: Pass = 0;

  constructor(
    rules: BreakerRules,
    changed: (state: BreakerState, before: BreakerState['kind']) => void = () => {},
  ) {
    this.rules = rules;
    this.changed = changed;
  }

  /** When it lets one through at the earliest. */
  readyAt(now: number): number {
    this.lapse(now);
    return this.state.kind === 'closed' ? now : this.state.until;
  }

  allows(now: number): boolean {
    this.lapse(now);
    return this.state.kind === 'closed' || (this.state.kind === 'open' && now >= this.state.until);
  }

  /** To be called only where `allows` says so. */
  begin(now: number): Pass {
    if (this.state.kind === 'open') this.move({ kind: 'half-open', until: now + this.rules.probeMs });
    return this.life;
  }

  succeeded(pass: Pass): void {
    if (pass !== this.life) return;
    this.relapses = 0;
    if (this.state.kind === 'closed') this.state.streak = 0;
    else this.move({ kind: 'closed', streak: 0 });
  }

  failed(pass: Pass, now: number): void {
    if (pass !== this.life) return;
    if (this.state.kind === 'half-open') this.relapse(now);
    else if (this.state.kind === 'closed') {
      this.state.streak += 1;
      if (this.rules.failures > 0 && this.state.streak >= this.rules.failures) this.open(now);
    }
  }

  /** It was called off, and says nothing of the target: the next one may probe in its place. */
  calledOff(pass: Pass, now: number): void {
    if (pass !== this.life || this.state.kind !== 'half-open') return;
    this.move({ kind: 'open', until: now, forMs: 0 });
  }

  private lapse(now: number): void {
    if (this.state.kind === 'half-open' && now >= this.state.until) this.relapse(now);
  }

  private relapse(now: number): void {
    this.relapses += 1;
    this.open(now);
  }

  private open(now: number): void {
    const { openMs, longestMs } = this.rules;
    const forMs = Math.min(longestMs, openMs * 2 ** Math.min(this.relapses, 31));
    this.move({ kind: 'open', until: now + forMs, forMs });
  }

  private move(state: BreakerState): void {
    const before = this.state.kind;
    this.state = state;
    this.life += 1;
    this.changed(state, before);
  }
}
