// The portable engine's UDP: a session for each client, and for each session a target or a sink.
import { Picker } from '../../core/balance/picker.ts';
import type { Context } from '../../core/context.ts';
import { formatHostPort } from '../../core/endpoint.ts';
import {
  Admission,
  type DatagramBinding,
  type HostAndPort,
  type Line,
  type Overload,
} from '../../listen/index.ts';
import type { EndReason, EngineListener, EngineReports, ListenerPlan, TargetCounters } from '../engine.ts';
import { Present } from '../present.ts';
import { ByteBudget } from './byte-budget.ts';
import { RecordedSession } from './recorded.ts';
import { RelayedSession } from './relayed.ts';
import type { Session, SessionHome } from './session.ts';

/** Bytes that may wait for the kernel or a sink, of all sessions of one listener. */
const listenerBytes = 16 * 1024 * 1024;

/** While it drains, a session that is quiet for so long owes no answer any more. Milliseconds. */
const drainQuietMs = 1000;

export class DatagramListener implements EngineListener, SessionHome {
  plan: ListenerPlan;
  readonly picker: Picker;
  readonly reports: EngineReports;
  readonly budget = new ByteBudget(listenerBytes);
  private readonly context: Context;
  private readonly bindings: DatagramBinding[];
  private readonly admission: Admission;
  private readonly sessions = new Present<Session>(
    () => this.shortestTime(),
    (sessions) => this.sweep(sessions),
  );
  private draining = false;

  constructor(
    plan: ListenerPlan,
    bindings: DatagramBinding[],
    reports: EngineReports,
    context: Context,
    overload: Overload,
  ) {
    this.plan = plan;
    this.reports = reports;
    this.context = context;
    this.bindings = bindings;
    this.admission = new Admission(plan.config, context.clock, { overloaded: () => overload.exceeded() });
    this.picker = new Picker(policyOf(plan), plan.targets, { random: context.random });
    for (const binding of bindings) binding.accept((client, line) => this.welcome(client, line));
  }

  get name(): string {
    return this.plan.name;
  }

  active(): number {
    return this.sessions.size;
  }

  targets(): TargetCounters[] {
    return this.picker.counters();
  }

  /** A datagram does not wait for a place at a target. */
  waiting(): number {
    return 0;
  }

  now(): number {
    return this.context.clock.monotonic();
  }

  wall(): number {
    return this.context.clock.wall();
  }

  update(plan: ListenerPlan): void {
    this.plan = plan;
    this.admission.update(plan.config);
    this.picker.update(policyOf(plan), plan.targets);
    this.sessions.retime();
  }

  /** What the client says next goes to another target: it is a new session. */
  end(target: string, reason: EndReason): void {
    for (const session of this.sessions) if (session.isTo(target)) session.stop(reason);
  }

  async drain(deadlineMs: number): Promise<void> {
    this.draining = true;
    this.admission.drain();
    await Promise.all(this.bindings.map((binding) => binding.close()));
    this.sessions.retime();
    const deadline = setTimeout(() => {
      for (const session of this.sessions) session.stop('drained');
    }, deadlineMs);
    await this.sessions.empty();
    clearTimeout(deadline);
  }

  left(session: Session): void {
    this.sessions.remove(session);
    this.admission.release(session.address);
  }

  private welcome(client: HostAndPort, line: Line): ((datagram: Buffer) => void) | null {
    const refusal = this.admission.admit(client.address);
    if (refusal) {
      this.reports.refused(this.name, formatHostPort(client.address, client.port), refusal);
      return null;
    }
    const Kind = this.plan.sink ? RecordedSession : RelayedSession;
    const session = new Kind(client, line, this);
    this.sessions.add(session);
    this.reports.opened(this.name, session.clientName);
    return (datagram) => session.hear(datagram);
  }

  private shortestTime(): number {
    const { idle } = this.plan.config.limits;
    return this.draining ? Math.min(drainQuietMs, idle) : idle;
  }

  private sweep(sessions: Iterable<Session>): void {
    const now = this.now();
    const { idle } = this.plan.config.limits;
    for (const session of sessions) {
      // One whose socket has gone to the next listener (a reload) need not hurry.
      const hurries = this.draining && !session.line.listening();
      session.checkIdle(now, idle, hurries ? drainQuietMs : null);
    }
  }
}

function policyOf(plan: ListenerPlan) {
  return plan.config.balance?.policy ?? 'round-robin';
}
