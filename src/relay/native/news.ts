// Gathers what happens on one listener between two reports, in bounded memory.
import type { RefusalReason } from '../../listen/index.ts';
import type { EndReason, TargetCounters } from '../engine.ts';
import { type News, packEnd, type WireEnd } from './protocol.ts';
import type { Visit } from './visit.ts';

/** So many of each kind are told one by one in a report; what is beyond is only counted. */
const listedAtMost = 10_000;

export class NewsDesk {
  private readonly id: number;
  private readonly named: boolean;
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
  private times: number[] = [];
  private readonly moreRefused = new Map<RefusalReason, number>();
  private readonly moreEnded = new Map<EndReason, number>();
  private fresh = false;

  /** `named`: connections are told one by one. `changed` is called at the first news after each report. */
  constructor(
    { id, named }: { id: number; named: boolean },
    counters: () => TargetCounters[],
    waiting: () => number,
    changed: () => void,
  ) {
    this.id = id;
    this.named = named;
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
    if (this.named && this.opened.size < listedAtMost) this.opened.add(visit);
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

  ended(visit: Visit, now: number): void {
    const outcome = visit.outcome(now);
    if (outcome === 'cut') this.targetFailed(visit.place!.id, 'ECONNRESET');
    else if (outcome === 'took') this.targetTook(visit.place!.id);
    const fresh = this.named && this.opened.delete(visit);
    if (this.named && this.ends.length < listedAtMost) {
      this.ends.push(packEnd(visit.record(now), fresh));
    } else {
      if (fresh) this.moreOpened += 1;
      this.countEnd(visit, now);
    }
    this.note();
  }

  private countEnd({ reason, startedAt, connectMs }: Visit, now: number): void {
    this.moreEnded.set(reason, (this.moreEnded.get(reason) ?? 0) + 1);
    if (this.times.length >= 2 * listedAtMost) return;
    this.times.push(
      Math.round((now - startedAt) * 1000),
      connectMs === null ? -1 : Math.round(connectMs * 1000),
    );
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
        times: this.times,
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
    this.times = [];
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
