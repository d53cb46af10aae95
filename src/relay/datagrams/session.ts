// One client of a UDP listener, whatever is done with what it says: its idleness, its drops, its single end.
import type { Picker } from '../../core/balance/picker.ts';
import { errorCode } from '../../core/errors.ts';
import type { HostAndPort, Line } from '../../listen/index.ts';
import type { DatagramDrop, EndReason } from '../engine.ts';
import { Visit, type Visited } from '../visit.ts';
import type { ByteBudget } from './byte-budget.ts';

/** What a session needs from the listener that it belongs to. */
export interface SessionHome extends Visited {
  readonly picker: Picker;
  /** Of all sessions together. */
  readonly budget: ByteBudget;
}

/** Bytes that may wait for the kernel, or for a sink, in one direction of one session: some four of the longest. */
export const sessionBytes = 256 * 1024;

export abstract class Session extends Visit<SessionHome> {
  readonly line: Line;
  private movedAt: number;

  constructor(client: HostAndPort, line: Line, home: SessionHome) {
    super(client, home);
    this.line = line;
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
    this.home.reports.ended(this.home.plan.name, this.leave(reason, detail));
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
