// One accepted connection, whatever is done with it: its counts, its idleness, its single end.
import type { Socket } from 'node:net';
import type { Picker } from '../core/balance/picker.ts';
import type { RetryBudget } from '../core/balance/retry-budget.ts';
import { formatHostPort } from '../core/endpoint.ts';
import type { Guest } from '../listen/index.ts';
import { outcomeOf } from './ending.ts';
import type { ConnectionEnd, EndReason, EngineReports, ListenerPlan } from './engine.ts';
import type { WaitingRoom } from './waiting-room.ts';

/** What a connection needs from the listener that it belongs to. */
export interface Home {
  /** Always the newest. */
  readonly plan: ListenerPlan;
  /** By server name. */
  pickerFor(route: string | null): Picker;
  readonly budget: RetryBudget;
  readonly room: WaitingRoom;
  readonly reports: EngineReports;
  /** Monotonic milliseconds, for durations. */
  now(): number;
  /** Milliseconds since 1970, for people. */
  wall(): number;
  left(connection: Served): void;
}

export abstract class Served {
  readonly guest: Guest;
  readonly client: Socket;
  /** The address as admission counted it: a closed socket no longer tells. */
  readonly address: string;
  readonly clientName: string;
  protected readonly home: Home;
  protected received = 0;
  protected sent = 0;
  protected target: string | null = null;
  protected connectMs: number | null = null;
  protected retries = 0;
  /** Grows whenever something moves in either direction. */
  protected moves = 0;
  protected readonly startedAt: number;
  private seenMoves = 0;
  private quietSince: number;
  private over = false;

  constructor(guest: Guest, home: Home) {
    this.guest = guest;
    this.client = guest.socket;
    this.address = guest.client.address;
    this.clientName = formatHostPort(guest.client.address, guest.client.port);
    this.home = home;
    this.startedAt = home.now();
    this.quietSince = this.startedAt;
  }

  /** Takes up the connection; called once. */
  abstract start(): void;

  /** Ends it now, both sides by a reset, so that nobody mistakes the cut for a proper end. */
  abstract stop(reason: EndReason, detail?: string | null): void;

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
    this.over = true;
    const end: ConnectionEnd = {
      client: this.clientName,
      target: this.target,
      reason,
      received: this.received,
      sent: this.sent,
      ms: this.home.now() - this.startedAt,
      connectMs: this.connectMs,
      retries: this.retries,
      detail,
    };
    this.home.left(this);
    const { reports, plan } = this.home;
    const outcome = outcomeOf(end);
    if (outcome === 'took') reports.targetTook(plan.name, this.target!);
    else if (outcome === 'cut') reports.targetFailed(plan.name, this.target!, 'ECONNRESET');
    reports.ended(plan.name, end);
  }
}
