// One accepted connection, whatever is done with it: its idleness, its single end and what that says of the target.
import type { Socket } from 'node:net';
import type { Picker } from '../core/balance/picker.ts';
import type { RetryBudget } from '../core/balance/retry-budget.ts';
import type { Guest } from '../listen/index.ts';
import { outcomeOf } from './ending.ts';
import type { EndReason } from './engine.ts';
import { Visit, type Visited } from './visit.ts';
import type { WaitingRoom } from './waiting-room.ts';

/** What a connection needs from the listener that it belongs to. */
export interface Home extends Visited {
  /** By server name. */
  pickerFor(route: string | null): Picker;
  readonly budget: RetryBudget;
  readonly room: WaitingRoom;
}

export abstract class Served extends Visit<Home> {
  readonly guest: Guest;
  readonly client: Socket;
  /** Grows whenever something moves in either direction. */
  protected moves = 0;
  private seenMoves = 0;
  private quietSince: number;

  constructor(guest: Guest, home: Home) {
    super(guest.client, home);
    this.guest = guest;
    this.client = guest.socket;
    this.quietSince = this.startedAt;
  }

  /** Takes up the connection; called once. */
  abstract start(): void;

  /** Both sides by a reset, so that nobody mistakes the cut for a proper end. */
  abstract override stop(reason: EndReason, detail?: string | null): void;

  /** Connected to this target, by its id. */
  isTo(target: string): boolean {
    return this.target === target && this.connectMs !== null;
  }

  /** Called by the listener's sweep. */
  checkTimes(now: number, idleMs: number, firstBytesMs: number | undefined): void {
    if (firstBytesMs !== undefined && this.received === 0 && now - this.startedAt >= firstBytesMs) {
      this.stop('silent');
    } else if (this.moves !== this.seenMoves) {
      this.seenMoves = this.moves;
      this.quietSince = now;
    } else if (now - this.quietSince >= idleMs) {
      this.stop('idle');
    }
  }

  /** The first reason stays; every socket is closed by now. */
  protected finish(reason: EndReason, detail: string | null = null): void {
    if (this.over) return;
    const end = this.leave(reason, detail);
    const { reports, plan } = this.home;
    const outcome = outcomeOf(end);
    if (outcome === 'took') reports.targetTook(plan.name, this.target!);
    else if (outcome === 'cut') reports.targetFailed(plan.name, this.target!, 'ECONNRESET');
    reports.ended(plan.name, end);
  }
}
