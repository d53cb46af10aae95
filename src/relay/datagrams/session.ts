// One client of a UDP listener, whatever is done with what it says: its counts, its idleness, its single end.

import type { Picker } from '../../core/balance/picker.ts';
import { formatHostPort } from '../../core/endpoint.ts';
import { errorCode } from '../../core/errors.ts';
import type { HostAndPort, Line } from '../../listen/index.ts';
import type { ConnectionEnd, DatagramDrop, EndReason, EngineReports, ListenerPlan } from '../engine.ts';
import type { ByteBudget } from './byte-budget.ts';

/** What a session needs from the listener that it belongs to. */
export interface SessionHome {
  /** Always the newest. */
  readonly plan: ListenerPlan;
  readonly picker: Picker;
  readonly reports: EngineReports;
  /** Of all sessions together. */
  readonly budget: ByteBudget;
  /** Monotonic milliseconds, for durations. */
  now(): number;
  /** Milliseconds since 1970, for people. */
  wall(): number;
  left(session: Session): void;
}

/** Bytes that may wait for the kernel, or for a sink, in one direction of one session: some four of the longest. */
export const sessionBytes = 256 * 1024;

export abstract class Session {
  readonly client: HostAndPort;
  readonly clientName: string;
  readonly line: Line;
  protected readonly home: SessionHome;
  protected received = 0;
  protected sent = 0;
  protected target: string | null = null;
  protected connectMs: number | null = null;
  /** Targets that turned out not to be there. */
  protected failures = 0;
  protected over = false;
  protected readonly startedAt: number;
  private movedAt: number;

  constructor(client: HostAndPort, line: Line, home: SessionHome) {
    this.client = client;
    this.clientName = formatHostPort(client.address, client.port);
    this.line = line;
    this.home = home;
    this.startedAt = home.now();
    this.movedAt = this.startedAt;
  }

  /** What the client says. */
  hear(datagram: Buffer): void {
    if (this.over) return;
    const { reports, plan } = this.home;
    this.movedAt = this.home.now();
    this.received += datagram.length;
    reports.received(plan.name, datagram.length);
    reports.datagram(plan.name, 'received');
    this.take(datagram);
  }

  stop(reason: EndReason, detail: string | null = null): void {
    if (this.over) return;
    this.over = true;
    this.line.hangUp();
    this.letGo();
    const end: ConnectionEnd = {
      client: this.clientName,
      target: this.target,
      reason,
      received: this.received,
      sent: this.sent,
      ms: this.home.now() - this.startedAt,
      connectMs: this.connectMs,
      retries: this.failures,
      detail,
    };
    this.home.left(this);
    this.home.reports.ended(this.home.plan.name, end);
  }

  isTo(target: string): boolean {
    return this.target === target;
  }

  /** Called by the listener's sweep: nothing has moved for so long. */
  checkIdle(now: number, idleMs: number, drainedMs: number | null): void {
    const quiet = now - this.movedAt;
    if (drainedMs !== null && quiet >= drainedMs) this.stop('drained');
    else if (quiet >= idleMs) this.stop(...this.idleEnd());
  }

  protected abstract take(datagram: Buffer): void;
  /** Closes what it has open. */
  protected abstract letGo(): void;

  protected idleEnd(): [EndReason, string | null] {
    return ['idle', null];
  }

  protected answer(datagram: Buffer, budget: ByteBudget): void {
    const { reports, plan } = this.home;
    const { length } = datagram;
    this.movedAt = this.home.now();
    if (!budget.take(length)) {
      this.drop('backlog');
      return;
    }
    this.line.send(datagram, (error) => {
      budget.give(length);
      if (error) {
        this.drop(dropOf(error) ?? 'client-unreachable');
        return;
      }
      this.sent += length;
      reports.sent(plan.name, length);
      reports.datagram(plan.name, 'sent');
    });
  }

  protected drop(reason: DatagramDrop): void {
    this.home.reports.datagram(this.home.plan.name, reason);
  }
}

/** What the datagram itself, or this machine, is to blame for; null where it is the other end. */
export function dropOf(error: Error): DatagramDrop | null {
  const code = errorCode(error);
  if (code === 'EMSGSIZE') return 'too-large';
  return code === 'ENOBUFS' || code === 'EAGAIN' || code === 'ENOMEM' ? 'backlog' : null;
}
