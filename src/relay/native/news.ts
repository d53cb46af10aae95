// Gathers what happens on one listener between two reports, in bounded memory.
import type { RefusalReason } from '../../listen/index.ts';
import { outcomeOf } from '../ending.ts';
import type { ConnectionEnd, EndReason, TargetCounters } from '../engine.ts';
import { type News, packEnd, type WireEnd } from './protocol.ts';

/** So many of each kind are told one by one in a report; what is beyond is only counted. */
export const listedAtMost = 10_000;

/** A connection; its name is asked for only where it is told. */
interface Visit {
  readonly caller: string;
}

export class NewsDesk {
  private readonly id: number;
  private readonly counters: () => TargetCounters[];
  private readonly waiting: () => number;
  private readonly changed: () => void;
  private bytesIn = 0;
  private bytesOut = 0;
  private readonly opened = new Set<Visit>();
  private refusals: [string, RefusalReason][] = [];
  private outcomes: [string, string | null][] = [];
  /** Targets whose last outcome in this report was good. */
  private readonly well = new Set<string>();
  private ends: WireEnd[] = [];
  private moreOpened = 0;
  private readonly moreRefused = new Map<RefusalReason, number>();
  private readonly moreEnded = new Map<EndReason, number>();
  private fresh = false;

  /** `changed` is called at the first news after each report. */
  constructor(id: number, counters: () => TargetCounters[], waiting: () => number, changed: () => void) {
    this.id = id;
    this.counters = counters;
    this.waiting = waiting;
    this.changed = changed;
  }

  received(bytes: number): void {
    this.bytesIn += bytes;
    this.note();
  }

  sent(bytes: number): void {
    this.bytesOut += bytes;
    this.note();
  }

  connectionOpened(visit: Visit): void {
    if (this.opened.size < listedAtMost) this.opened.add(visit);
    else this.moreOpened += 1;
    this.note();
  }

  refused(client: string, reason: RefusalReason): void {
    if (this.refusals.length < listedAtMost) this.refusals.push([client, reason]);
    else this.moreRefused.set(reason, (this.moreRefused.get(reason) ?? 0) + 1);
    this.note();
  }

  targetFailed(target: string, code: string): void {
    this.well.delete(target);
    if (this.outcomes.length < listedAtMost) this.outcomes.push([target, code]);
    this.note();
  }

  ended(visit: Visit, end: ConnectionEnd): void {
    const outcome = outcomeOf(end);
    if (outcome === 'cut') this.targetFailed(end.target!, 'ECONNRESET');
    else if (outcome === 'took') this.targetTook(end.target!);
    const fresh = this.opened.delete(visit);
    if (this.ends.length < listedAtMost) this.ends.push(packEnd(end, fresh));
    else {
      if (fresh) this.moreOpened += 1;
      this.moreEnded.set(end.reason, (this.moreEnded.get(end.reason) ?? 0) + 1);
    }
    this.note();
  }

  /** Who waits has changed. */
  touched(): void {
    this.note();
  }

  /** Null where nothing has happened since the last time. */
  take(): News | null {
    if (!this.fresh) return null;
    this.fresh = false;
    const news: News = {
      id: this.id,
      received: this.bytesIn,
      sent: this.bytesOut,
      opened: Array.from(this.opened, ({ caller }) => caller),
      refused: this.refusals,
      outcomes: this.outcomes,
      ends: this.ends,
      unlisted: {
        opened: this.moreOpened,
        refused: [...this.moreRefused],
        ended: [...this.moreEnded],
      },
      waiting: this.waiting(),
      targets: this.counters(),
    };
    this.bytesIn = 0;
    this.bytesOut = 0;
    this.moreOpened = 0;
    this.opened.clear();
    this.refusals = [];
    this.outcomes = [];
    this.well.clear();
    this.ends = [];
    this.moreRefused.clear();
    this.moreEnded.clear();
    return news;
  }

  private targetTook(target: string): void {
    if (this.well.has(target)) return;
    this.well.add(target);
    if (this.outcomes.length < listedAtMost) this.outcomes.push([target, null]);
  }

  private note(): void {
    if (this.fresh) return;
    this.fresh = true;
    this.changed();
  }
}
