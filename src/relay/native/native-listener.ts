// One listener whose connections the workers carry: tells them what to do, and adds up what they report.
import type { Socket } from 'node:net';
import type { Context } from '../../core/context.ts';
import type { Binding, DescriptorCalls } from '../../listen/index.ts';
import type { EngineListener, EngineReports, ListenerPlan, TargetCounters } from '../engine.ts';
import { Addresses } from './addresses.ts';
import type { Crew, Task } from './crew.ts';
import type { News, Report, WirePlan } from './protocol.ts';
import { pass, passLost } from './reports.ts';
import { scratchSlot } from './shared-counts.ts';
import { Tally } from './tally.ts';
import type { WorkerProcess } from './worker-process.ts';

export interface NativeParts {
  crew: Crew;
  context: Context;
  calls: DescriptorCalls;
}

/** Milliseconds beyond the deadline of a drain after which a worker that says nothing is ended. */
const drainGrace = 5000;

export class NativeListener implements EngineListener, Task {
  readonly id: number;
  private plan: ListenerPlan;
  private readonly reports: EngineReports;
  private readonly bindings: Binding[];
  private readonly crew: Crew;
  /** Where the workers count its connections together. */
  private slot: number | null;
  private readonly addresses: Addresses;
  private readonly tally = new Tally<WorkerProcess>();
  /** Workers that have the listener. */
  private readonly workers = new Set<WorkerProcess>();
  private readonly descriptors: number[] = [];
  private early: Socket[] = [];
  private joined = false;
  private draining = false;
  private readonly emptied: (() => void)[] = [];

  constructor(
    id: number,
    plan: ListenerPlan,
    bindings: Binding[],
    reports: EngineReports,
    parts: NativeParts,
  ) {
    this.id = id;
    this.plan = plan;
    this.reports = reports;
    this.bindings = bindings;
    this.crew = parts.crew;
    this.slot = parts.crew.slots.take();
    for (const binding of bindings) {
      const { fd, waiting } = binding.handOver(parts.calls);
      this.descriptors.push(fd);
      this.early.push(...waiting);
    }
    this.addresses = new Addresses(() => this.send());
    this.send();
  }

  get name(): string {
    return this.plan.name;
  }

  active(): number {
    return this.tally.active;
  }

  targets(): TargetCounters[] {
    return this.tally.targets(this.plan.targets);
  }

  update(plan: ListenerPlan): void {
    this.plan = plan;
    this.send();
  }

  async drain(deadlineMs: number): Promise<void> {
    this.draining = true;
    this.addresses.close();
    for (const socket of this.early.splice(0)) socket.destroy();
    await Promise.all(this.bindings.map((binding) => binding.close()));
    for (const worker of this.workers) worker.send({ do: 'drain', id: this.id, deadlineMs });
    if (this.workers.size > 0) {
      const empty = new Promise<void>((resolve) => this.emptied.push(resolve));
      const late = setTimeout(() => {
        for (const worker of this.workers) worker.kill('it did not drain');
      }, deadlineMs + drainGrace);
      await empty;
      clearTimeout(late);
    }
    this.crew.leave(this);
    if (this.slot !== null) this.crew.slots.give(this.slot);
    this.slot = null;
  }

  /** Limits that only one process can count exactly are kept by one worker. */
  takesPart(seat: number): boolean {
    const { perClient, rate } = this.plan.config.limits;
    if (perClient === undefined && rate === undefined && this.slot !== null) return true;
    return seat === this.id % this.crew.size;
  }

  begin(worker: WorkerProcess): void {
    if (this.draining) return;
    this.workers.add(worker);
    const sockets = this.descriptors.length;
    const place = {
      slot: this.slot ?? scratchSlot,
      seat: worker.seat,
      seats: this.slot === null ? 0 : this.crew.size,
    };
    worker.send({ do: 'serve', id: this.id, plan: this.wire(), sockets, place }, this.descriptors);
    const early = this.early.splice(0);
    if (early.length === 0) return;
    worker.send({ do: 'adopt', id: this.id, connections: early.length }, early.map(descriptorOf));
    // The worker has a descriptor of its own by now: this closes only ours.
    for (const socket of early) socket.destroy();
  }

  report(worker: WorkerProcess, report: Report): void {
    if (report.is === 'news') for (const news of report.listeners) this.tell(worker, news);
    else if (report.is === 'drained') this.done(worker);
  }

  lost(worker: WorkerProcess): void {
    if (!this.workers.has(worker)) return;
    passLost(this.name, this.tally.drop(worker), this.reports);
    this.done(worker);
  }

  private tell(worker: WorkerProcess, news: News): void {
    this.tally.take(worker, news);
    pass(this.name, news, this.reports);
  }

  private done(worker: WorkerProcess): void {
    this.workers.delete(worker);
    if (this.workers.size > 0) return;
    for (const resolve of this.emptied.splice(0)) resolve();
  }

  private send(): void {
    if (this.draining) return;
    const plan = this.wire();
    // The first time, and a target that was just added, wait for their names; connections wait in the kernel's queue.
    if (!this.addresses.complete) return;
    if (!this.joined) {
      this.joined = true;
      this.crew.join(this);
      return;
    }
    for (const worker of this.workers) worker.send({ do: 'update', id: this.id, plan });
  }

  private wire(): WirePlan {
    const { name, config, targets } = this.plan;
    const { connections, perClient, rate, idle } = config.limits;
    const { policy = 'round-robin', retries = 0, connectTimeout = 5000 } = config.balance ?? {};
    return {
      name,
      allow: config.allow,
      limits: { connections, perClient, rate, idle },
      balance: { policy, retries, connectTimeout },
      targets: this.addresses.of(targets),
    };
  }
}

function descriptorOf(socket: Socket): number {
  return (socket as unknown as { _handle: { fd: number } })._handle.fd;
}
