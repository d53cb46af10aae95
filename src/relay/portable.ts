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
import { Present } from './present.ts';
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
  private readonly connections = new Present<Served>(
    () => this.shortestTime(),
    (connections) => this.sweep(connections),
  );

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
    for (const connection of this.connections) if (connection.isTo(target)) connection.stop(reason);
  }

  now(): number {
    return this.context.clock.monotonic();
  }

  wall(): number {
    return this.context.clock.wall();
  }

  update(plan: ListenerPlan): void {
    this.plan = plan;
    this.budget.config = budgetOf(plan);
    this.admission.update(plan.config);
    this.reception.update(plan.config, plan.credentials ?? null);
    this.pickers.update(plan);
    this.connections.retime();
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
    await this.connections.empty();
    clearTimeout(deadline);
  }

  left(connection: Served): void {
    this.connections.remove(connection);
    this.admission.release(connection.address);
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
    this.reports.opened(this.name, connection.clientName);
    connection.start();
  }

  private shortestTime(): number {
    const { idle, firstBytes = Number.POSITIVE_INFINITY } = this.plan.config.limits;
    return Math.min(idle, firstBytes);
  }

  private sweep(connections: Iterable<Served>): void {
    const now = this.now();
    const { idle, firstBytes } = this.plan.config.limits;
    for (const connection of connections) connection.checkTimes(now, idle, firstBytes);
  }
}

function budgetOf({ config }: ListenerPlan) {
  return config.balance?.retryBudget ?? { percent: 0, least: 0 };
}

function kindOf({ sink, handler, config }: ListenerPlan) {
  if (handler) return config.frame === undefined ? StreamHandled : FramesHandled;
  return sink ? IntakeConnection : BalancedConnection;
}
