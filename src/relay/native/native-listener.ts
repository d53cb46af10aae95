// One listener whose connections the workers carry: tells them what to do, and adds up what they report.
import type { Socket } from 'node:net';
import type { Context } from '../../core/context.ts';
import type { Binding, DescriptorCalls } from '../../listen/index.ts';
import type { EndReason, EngineListener, EngineReports, ListenerPlan, TargetCounters } from '../engine.ts';
import { Addresses } from './addresses.ts';
import type { Batch } from './batch.ts';
import type { Crew, Task } from './crew.ts';
import type { News, Report, WirePlan, WireTarget } from './protocol.ts';
import { pass, passLost } from './reports.ts';
import { scratchSlot } from './shared-counts.ts';
import { SinkFeed } from './sink-feed.ts';
import { Tally } from './tally.ts';
import { TargetSlots } from './target-slots.ts';
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
  private queueSlot: number | null;
  private readonly targetSlots: TargetSlots;
  private readonly addresses: Addresses;
  private readonly sinkFeed: SinkFeed;
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
    this.sinkFeed = new SinkFeed(id, () => this.plan);
    this.bindings = bindings;
    this.crew = parts.crew;
    this.slot = parts.crew.slots.take();
    this.queueSlot = parts.crew.slots.take();
    this.targetSlots = new TargetSlots(parts.crew.slots);
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

  accepts(): boolean {
    return this.workers.size > 0;
  }

  active(): number {
    return this.tally.active;
  }

  targets(): TargetCounters[] {
    return this.tally.targets(this.plan.targets);
  }

  waiting(): number {
    return this.tally.waiting;
  }

  end(target: string, reason: EndReason): void {
    for (const worker of this.workers) worker.send({ do: 'end', id: this.id, target, reason });
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
      const due = setTimeout(() => this.sinkFeed.giveUp(), deadlineMs);
      const late = setTimeout(() => {
        for (const worker of this.workers) worker.kill('it did not drain');
      }, deadlineMs + drainGrace);
      await empty;
      clearTimeout(due);
      clearTimeout(late);
    }
    this.crew.leave(this);
    for (const slot of [this.slot, this.queueSlot]) if (slot !== null) this.crew.slots.give(slot);
    this.slot = null;
    this.queueSlot = null;
    this.targetSlots.keep(new Set());
  }

  /** Limits that only one process can count exactly are kept by one worker. */
  takesPart(seat: number): boolean {
    const { perClient, rate, clientRate } = this.plan.config.limits;
    const eachAlone = perClient === undefined && rate === undefined && clientRate === undefined;
    if (eachAlone && this.slot !== null) return true;
    return seat === this.id % this.crew.size;
  }

  begin(worker: WorkerProcess, seat: number): void {
    if (this.draining) return;
    this.workers.add(worker);
    const sockets = this.descriptors.length;
    const place = {
      slot: this.slot ?? scratchSlot,
      queueSlot: this.queueSlot,
      seat,
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

  batch(worker: WorkerProcess, batch: Batch): void {
    this.sinkFeed.take(worker, batch);
  }

  lost(worker: WorkerProcess): void {
    this.sinkFeed.lost(worker);
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
    const { name, config, targets, sink } = this.plan;
    const { frame, limits } = config;
    const { connections, perClient, rate, clientRate, firstBytes, idle, frame: frameLimit } = limits;
    this.targetSlots.keep(new Set(this.targets().map(({ id }) => id)));
    return {
      name,
      named: this.reports.named ?? true,
      allow: config.allow,
      deny: config.deny,
      limits: { connections, perClient, rate, clientRate, firstBytes, idle },
      balance: config.balance ?? unbalanced,
      intake: sink && { frame: frame ?? 'line', limit: frameLimit },
      targets: this.addresses.of(targets).map((target) => this.withSlot(target)),
    };
  }

  private withSlot(target: Omit<WireTarget, 'slot'>): WireTarget {
    const slot = this.targetSlots.of(target);
    if (slot !== null || target.max === null) return { ...target, slot };
    // No place to count together: each worker has its part of the cap.
    return { ...target, slot, max: Math.max(1, Math.floor(target.max / this.crew.size)) };
  }
}

const unbalanced: WirePlan['balance'] = {
  policy: 'round-robin',
  retries: 0,
  retryBudget: { percent: 0, least: 0 },
  connectTimeout: 5000,
  queue: { size: 0, timeout: 0 },
};

function descriptorOf(socket: Socket): number {
  return (socket as unknown as { _handle: { fd: number } })._handle.fd;
}
