// One listener in a worker: who is let in, the connections that are open, and how it ends.

import { Picker, type SharedCount } from '../../core/balance/picker.ts';
import { RetryBudget } from '../../core/balance/retry-budget.ts';
import type { Clock } from '../../core/context.ts';
import { formatHostPort } from '../../core/endpoint.ts';
import { Admission } from '../../listen/index.ts';
import type { EndReason } from '../engine.ts';
import { WaitingRoom } from '../waiting-room.ts';
import { Acceptor } from './acceptor.ts';
import { Connection, type Owner } from './connection.ts';
import { NewsDesk } from './news.ts';
import { type Place, placeOf } from './place.ts';
import type { Plane } from './plane.ts';
import type { SharedPlace, WirePlan } from './protocol.ts';
import { Recheck } from './recheck.ts';
import type { SharedCounts } from './shared-counts.ts';
import type { PeerAddress } from './sockaddr.ts';
import type { Timed } from './wheel.ts';

/** What the listeners of one worker have in common. */
export interface Surroundings {
  plane: Plane;
  clock: Clock;
  counts: SharedCounts;
  /** Connections that are over, for use by the next. */
  free: Connection[];
  /** There is news to report. */
  changed(): void;
  /** The listener has drained: nothing of it is left. */
  drained(id: number): void;
  /** A descriptor has become free. */
  roomAgain(): void;
}

const maxFree = 4096;

export class WorkerListener implements Owner, Timed {
  due = 0;
  before: Timed | null = null;
  after: Timed | null = null;
  readonly picker: Picker<Place>;
  readonly budget: RetryBudget;
  readonly room: WaitingRoom;
  readonly news: NewsDesk;
  private readonly id: number;
  private readonly around: Surroundings;
  private readonly place: SharedPlace;
  private plan: WirePlan;
  private readonly admission: Admission;
  private readonly acceptors: Acceptor[];
  /** Each knows its own index. */
  private readonly connections: Connection[] = [];
  private draining = false;

  constructor(id: number, plan: WirePlan, sockets: number[], place: SharedPlace, around: Surroundings) {
    this.place = place;
    this.id = id;
    this.plan = plan;
    this.around = around;
    this.admission = new Admission(plan, around.clock, {
      elsewhere: () => around.counts.elsewhere(place.slot, place.seat, place.seats),
      overloaded: () => around.plane.overloaded(),
    });
    this.budget = new RetryBudget(plan.balance.retryBudget, () => this.connections.length);
    this.room = this.waitingRoom();
    this.picker = new Picker(plan.balance.policy, plan.targets.map(placeOf), {
      shared: this.sharedCount(),
      freed: () => this.room.wake(),
    });
    this.news = new NewsDesk(
      { id, named: plan.named },
      () => this.picker.counters(),
      () => this.room.waiting,
      around.changed,
    );
    this.acceptors = sockets.map(
      (fd) => new Acceptor(fd, around.plane, (from, peer) => this.accept(from, peer)),
    );
  }

  get retries(): number {
    return this.plan.balance.retries;
  }

  get connectTimeoutMs(): number {
    return this.plan.balance.connectTimeout;
  }

  get queueTimeoutMs(): number {
    return this.plan.balance.queue.timeout;
  }

  get firstBytesMs(): number | null {
    return this.plan.limits.firstBytes ?? null;
  }

  get idleMs(): number {
    return this.plan.limits.idle;
  }

  update(plan: WirePlan): void {
    const { idle, firstBytes } = this.plan.limits;
    const timesChanged = plan.limits.idle !== idle || plan.limits.firstBytes !== firstBytes;
    this.plan = plan;
    this.admission.update(plan);
    this.budget.config = plan.balance.retryBudget;
    this.picker.update(plan.balance.policy, plan.targets.map(placeOf));
    if (timesChanged) for (const connection of this.connections) connection.retime();
  }

  /** A connection that came over one of its sockets. */
  accept(fd: number, { address, port }: PeerAddress): void {
    const refusal = this.admission.admit(address);
    if (refusal) {
      this.around.plane.reset(fd);
      this.news.refused(formatHostPort(address, port), refusal);
      return;
    }
    this.share();
    const { plane, free } = this.around;
    const connection = free.pop() ?? new Connection(plane);
    connection.index = this.connections.push(connection) - 1;
    plane.descriptors.connections += 1;
    this.news.connectionOpened(connection);
    connection.start(fd, address, port, this);
  }

  left(connection: Connection): void {
    const { plane, free } = this.around;
    const last = this.connections.pop()!;
    last.index = connection.index;
    if (last !== connection) this.connections[last.index] = last;
    this.admission.release(connection.address);
    this.share();
    plane.descriptors.connections -= 1;
    if (free.length < maxFree) free.push(connection);
    this.news.ended(connection, plane.loop.now);
    this.around.roomAgain();
    if (this.draining && this.connections.length === 0) this.gone();
  }

  /** There may be room for those who wait in the kernel's queue. */
  roomAgain(): void {
    for (const acceptor of this.acceptors) acceptor.roomAgain();
  }

  drain(deadlineMs: number): void {
    const { loop } = this.around.plane;
    this.admission.drain();
    for (const acceptor of this.acceptors.splice(0)) acceptor.close();
    if (this.connections.length === 0) {
      this.gone();
      return;
    }
    this.draining = true;
    if (deadlineMs <= 0) this.expire();
    else loop.wheel.set(this, loop.now + deadlineMs);
  }

  end(target: string, reason: EndReason): void {
    for (const connection of [...this.connections]) if (connection.isTo(target)) connection.stop(reason);
  }

  /** The deadline of a drain. */
  expire(): void {
    for (const connection of [...this.connections]) connection.stop('drained');
  }

  private waitingRoom(): WaitingRoom {
    const { place, around } = this;
    const { queueSlot, seat, seats } = place;
    const recheck = new Recheck(around.plane.loop, () => this.room);
    return new WaitingRoom(
      () => this.plan.balance.queue.size,
      () => (queueSlot === null ? 0 : around.counts.elsewhere(queueSlot, seat, seats)),
      (waiting) => {
        if (queueSlot !== null) around.counts.set(queueSlot, seat, waiting);
        recheck.follow(waiting);
        this.news.touched();
      },
    );
  }

  private sharedCount(): SharedCount<Place> {
    const { counts } = this.around;
    const { seat, seats } = this.place;
    return {
      set: ({ slot }, active) => {
        if (slot !== null) counts.set(slot, seat, active);
      },
      elsewhere: ({ slot }) => (slot === null ? 0 : counts.elsewhere(slot, seat, seats)),
    };
  }

  private share(): void {
    this.around.counts.set(this.place.slot, this.place.seat, this.admission.active);
  }

  private gone(): void {
    this.draining = false;
    this.around.plane.loop.wheel.cancel(this);
    this.around.drained(this.id);
  }
}
