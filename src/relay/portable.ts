// The engine on node:net and node:dgram: runs everywhere, in the control process.
import type { Socket } from 'node:net';
import type { Picker } from '../core/balance/picker.ts';
import { RetryBudget } from '../core/balance/retry-budget.ts';
import type { Context } from '../core/context.ts';
import {
  Admission,
  type Binding,
  type Guest,
  type Host,
  Overload,
  Reception,
  type RefusalReason,
  streams,
} from '../listen/index.ts';
import { BalancedConnection } from './balanced.ts';
import { DatagramListener } from './datagrams/datagram-listener.ts';
import type {
  EndReason,
  Engine,
  EngineListener,
  EngineReports,
  ListenerPlan,
  TargetCounters,
} from './engine.ts';
import { FramesHandled } from './handled-frames.ts';
import { StreamHandled } from './handled-stream.ts';
import { IntakeConnection } from './intake.ts';
import { Pickers } from './pickers.ts';
import type { Home, Served } from './served.ts';
import { reset } from './sockets.ts';
import { WaitingRoom } from './waiting-room.ts';

export function createPortableEngine(context: Context): Engine {
  const overload = new Overload(context.clock);
  return {
    name: 'portable',
    serve(plan, bindings, reports) {
      const datagrams = bindings.filter((binding) => binding.transport === 'udp');
      if (datagrams.length > 0) return new DatagramListener(plan, datagrams, reports, context, overload);
      return new PortableListener(plan, streams(bindings), reports, context, overload);
    },
  };
}

/** Looks this often within the idle time, so that a quiet connection lasts at most a quarter longer than it says. */
const sweepsPerIdle = 4;
const longestSweepMs = 5000;

class PortableListener implements EngineListener, Home, Host {
  plan: ListenerPlan;
  private readonly pickers: Pickers;
  readonly budget: RetryBudget;
  readonly room = new WaitingRoom(() => this.plan.config.balance?.queue.size ?? 0);
  readonly reports: EngineReports;
  private readonly context: Context;
  private readonly bindings: Binding[];
  private readonly admission: Admission;
  private readonly reception: Reception;
  private readonly connections = new Set<Served>();
  private sweep: NodeJS.Timeout | undefined;
  private readonly emptied: (() => void)[] = [];

  constructor(
    plan: ListenerPlan,
    bindings: Binding[],
    reports: EngineReports,
    context: Context,
    overload: Overload,
  ) {
    this.plan = plan;
    this.reports = reports;
    this.context = context;
    this.bindings = bindings;
    this.admission = new Admission(plan.config, context.clock, {
      overloaded: () => overload.exceeded(),
    });
    this.budget = new RetryBudget(budgetOf(plan), () => this.connections.size);
    this.pickers = new Pickers(plan, { random: context.random, freed: () => this.room.wake() });
    this.reception = new Reception(plan.config, plan.credentials ?? null, this);
    for (const binding of bindings) binding.accept((socket) => this.reception.receive(socket));
  }

  get name(): string {
    return this.plan.name;
  }

  active(): number {
    return this.connections.size;
  }

  targets(): TargetCounters[] {
    return this.pickers.counters();
  }

  pickerFor(route: string | null): Picker {
    return this.pickers.for(route);
  }

  waiting(): number {
    return this.room.waiting;
  }

  end(target: string, reason: EndReason): void {
    for (const connection of [...this.connections]) if (connection.isTo(target)) connection.stop(reason);
  }

  now(): number {
    return this.context.clock.monotonic();
  }

  wall(): number {
    return this.context.clock.wall();
  }

  update(plan: ListenerPlan): void {
    const timesChanged = sweepPeriod(plan) !== sweepPeriod(this.plan);
    this.plan = plan;
    this.budget.config = budgetOf(plan);
    this.admission.update(plan.config);
    this.reception.update(plan.config, plan.credentials ?? null);
    this.pickers.update(plan);
    if (timesChanged && this.sweep) {
      this.stopSweep();
      this.startSweep();
    }
  }

  async drain(deadlineMs: number): Promise<void> {
    // Whoever was accepted and is still in its greeting is served.
    if (this.reception.waiting === 0) this.admission.drain();
    await Promise.all(this.bindings.map((binding) => binding.close()));
    const deadline = setTimeout(() => {
      this.reception.stop();
      for (const connection of this.connections) connection.stop('drained');
    }, deadlineMs);
    await this.reception.settled();
    this.admission.drain();
    if (this.connections.size > 0) await new Promise<void>((resolve) => this.emptied.push(resolve));
    clearTimeout(deadline);
  }

  left(connection: Served): void {
    this.connections.delete(connection);
    this.admission.release(connection.address);
    if (this.connections.size > 0) return;
    this.stopSweep();
    for (const resolve of this.emptied.splice(0)) resolve();
  }

  admit(address: string): RefusalReason | null {
    return this.admission.admit(address);
  }

  release(address: string): void {
    this.admission.release(address);
  }

  refused(client: string, reason: RefusalReason, why: string | null): void {
    this.reports.refused(this.name, client, reason, why);
  }

  cut(socket: Socket): void {
    reset(socket);
  }

  welcome(guest: Guest): void {
    const connection = new (kindOf(this.plan))(guest, this);
    this.connections.add(connection);
    this.startSweep();
    this.reports.opened(this.name, connection.clientName);
    connection.start();
  }

  private startSweep(): void {
    if (this.sweep) return;
    this.sweep = setInterval(() => {
      const now = this.now();
      const { idle, firstBytes } = this.plan.config.limits;
      for (const connection of this.connections) connection.checkTimes(now, idle, firstBytes);
    }, sweepPeriod(this.plan)).unref();
  }

  private stopSweep(): void {
    clearInterval(this.sweep);
    this.sweep = undefined;
  }
}

function budgetOf({ config }: ListenerPlan) {
  return config.balance?.retryBudget ?? { percent: 0, least: 0 };
}

function sweepPeriod({ config: { limits } }: ListenerPlan): number {
  const shortest = Math.min(limits.idle, limits.firstBytes ?? Number.POSITIVE_INFINITY);
  return Math.min(longestSweepMs, Math.max(1, shortest / sweepsPerIdle));
}

function kindOf({ sink, handler, config }: ListenerPlan) {
  if (handler) return config.frame === undefined ? StreamHandled : FramesHandled;
  return sink ? IntakeConnection : BalancedConnection;
}
