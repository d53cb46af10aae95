// One listener in a worker whose data goes to a sink: who is let in, the records on their way, and how it ends.
import { formatHostPort } from '../../core/endpoint.ts';
import { Admission, type Frame, type FrameKind } from '../../listen/index.ts';
import { lineEncoder } from '../../sinks/index.ts';
import { Acceptor } from './acceptor.ts';
import { Feed } from './feed.ts';
import { IntakeConnection, type IntakeHome } from './intake-connection.ts';
import type { Surroundings } from './listener.ts';
import { NewsDesk } from './news.ts';
import type { Outbox } from './outbox.ts';
import type { Plane } from './plane.ts';
import type { SharedPlace, WirePlan } from './protocol.ts';
import type { PeerAddress } from './sockaddr.ts';
import type { Timed } from './wheel.ts';

export type IntakeSurroundings = Omit<Surroundings, 'free'> & { outbox: Outbox };

export class IntakeListener implements IntakeHome, Timed {
  due = 0;
  before: Timed | null = null;
  after: Timed | null = null;
  readonly news: NewsDesk;
  private readonly id: number;
  private readonly around: IntakeSurroundings;
  private readonly place: SharedPlace;
  private plan: WirePlan;
  private readonly admission: Admission;
  private readonly acceptors: Acceptor[];
  private readonly connections = new Set<IntakeConnection>();
  private readonly feed: Feed;
  private readonly encode = lineEncoder();
  /** Connections that have ended, but for what is on its way. */
  private owed: IntakeConnection[] = [];
  /** Connections that read no further until the sink takes more. */
  private waiting: IntakeConnection[] = [];
  private draining = false;
  /** When the newest data came. */
  private time = '';
  private timeOf = 0;

  constructor(id: number, plan: WirePlan, sockets: number[], place: SharedPlace, around: IntakeSurroundings) {
    this.id = id;
    this.plan = plan;
    this.place = place;
    this.around = around;
    this.feed = new Feed(id, (packed) => around.outbox.send(packed));
    this.admission = new Admission(plan, around.clock, {
      elsewhere: () => around.counts.elsewhere(place.slot, place.seat, place.seats),
      overloaded: () => around.plane.overloaded(),
    });
    this.news = new NewsDesk(
      { id, named: plan.named },
      () => [],
      () => 0,
      around.changed,
    );
    this.acceptors = sockets.map((fd) => new Acceptor(fd, around.plane, (fd, from) => this.accept(fd, from)));
  }

  get plane(): Plane {
    return this.around.plane;
  }

  get frame(): FrameKind {
    return this.plan.intake!.frame;
  }

  get frameLimit(): number {
    return this.plan.intake!.limit;
  }

  get firstBytesMs(): number | null {
    return this.plan.limits.firstBytes ?? null;
  }

  get idleMs(): number {
    return this.plan.limits.idle;
  }

  get full(): boolean {
    return this.feed.full;
  }

  update(plan: WirePlan): void {
    this.plan = plan;
    this.admission.update(plan);
    for (const connection of this.connections) connection.retime();
  }

  accept(fd: number, { address, port }: PeerAddress): void {
    const refusal = this.admission.admit(address);
    if (refusal) {
      this.plane.reset(fd);
      this.news.refused(formatHostPort(address, port), refusal);
      return;
    }
    this.share();
    this.plane.descriptors.connections += 1;
    const connection = new IntakeConnection(fd, address, port, this);
    this.connections.add(connection);
    this.news.connectionOpened(connection);
  }

  left(connection: IntakeConnection): void {
    const { plane, roomAgain } = this.around;
    this.connections.delete(connection);
    this.admission.release(connection.address);
    this.share();
    plane.descriptors.connections -= 1;
    this.news.ended(connection, plane.loop.now);
    roomAgain();
    this.maybeGone();
  }

  received(bytes: number): void {
    const wall = this.around.clock.wall();
    if (wall !== this.timeOf) this.time = new Date(wall).toISOString();
    this.timeOf = wall;
    if (bytes > 0) this.news.received(bytes);
  }

  record(from: IntakeConnection, sequence: number, data: Frame): number {
    const { id: connection, client } = from;
    const { time, plan } = this;
    return this.feed.add(this.encode({ time, listener: plan.name, connection, client, sequence, data }));
  }

  isUnderWay(batch: number): boolean {
    return this.feed.has(batch);
  }

  owe(connection: IntakeConnection): void {
    this.owed.push(connection);
  }

  wait(connection: IntakeConnection): void {
    this.waiting.push(connection);
  }

  /** Sends records that are due; returns milliseconds until more are. */
  flush(now: number): number {
    return this.feed.flush(now);
  }

  /** The sink has every batch up to this one, or will not have it: then nobody is told that all is well. */
  taken(number: number, failed: boolean): void {
    if (failed) this.failed(number);
    this.feed.took(number);
    for (const connection of this.owed.splice(0)) connection.settle();
    if (!this.feed.full) for (const connection of this.waiting.splice(0)) connection.resume();
    this.maybeGone();
  }

  roomAgain(): void {
    for (const acceptor of this.acceptors) acceptor.roomAgain();
  }

  drain(deadlineMs: number): void {
    const { loop } = this.plane;
    this.admission.drain();
    for (const acceptor of this.acceptors.splice(0)) acceptor.close();
    this.draining = true;
    if (deadlineMs <= 0) this.expire();
    else loop.wheel.set(this, loop.now + deadlineMs);
    this.maybeGone();
  }

  /** It has no targets. */
  end(): void {}

  /** The deadline of a drain. What was read goes to the control process, which gives an answer for all of it by now. */
  expire(): void {
    for (const connection of [...this.connections]) connection.stop('drained');
  }

  private failed(number: number): void {
    for (const connection of [...this.connections]) {
      if (this.feed.has(connection.batch) && connection.batch <= number) connection.stop('sink-failed');
    }
  }

  private share(): void {
    this.around.counts.set(this.place.slot, this.place.seat, this.admission.active);
  }

  private maybeGone(): void {
    if (!this.draining || this.connections.size > 0 || !this.feed.empty) return;
    this.draining = false;
    this.plane.loop.wheel.cancel(this);
    this.around.drained(this.id);
  }
}
