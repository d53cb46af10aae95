// Which targets are put aside because connections to them fail: consecutive failures in, ejections that grow out. Pure.

export interface EjectRules {
  /** In a row; 0 ejects nobody. */
  failures: number;
  /** Milliseconds of the first ejection; each further one is longer by as much. */
  for: number;
  longest: number;
}

interface Record {
  streak: number;
  /** So far; forgotten when it has stayed in for the longest time. */
  ejections: number;
  until: number | null;
  returnedAt: number;
}

/** Codes that tell of this machine, not of the target. */
const ownTrouble = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRNOTAVAIL', 'EAI_AGAIN', 'EPERM']);

export class Outliers {
  rules: EjectRules;
  private readonly records = new Map<string, Record>();

  constructor(rules: EjectRules) {
    this.rules = rules;
  }

  /** Milliseconds that it is ejected for, from this failure on; null where it is not. `others` are fit to stand in for it. */
  failed(id: string, code: string, others: Iterable<string>, now: number): number | null {
    if (ownTrouble.has(code)) return null;
    const record = this.recordOf(id);
    if (record.until !== null) return null;
    record.streak += 1;
    if (this.rules.failures === 0 || record.streak < this.rules.failures) return null;
    if (![...others].some((other) => other !== id && !this.isEjected(other))) return null;
    if (now - record.returnedAt >= this.rules.longest) record.ejections = 0;
    record.ejections += 1;
    record.streak = 0;
    const length = Math.min(this.rules.for * record.ejections, this.rules.longest);
    record.until = now + length;
    return length;
  }

  took(id: string): void {
    const record = this.records.get(id);
    if (record) record.streak = 0;
  }

  isEjected(id: string): boolean {
    return this.until(id) !== null;
  }

  /** When it returns; null where it is not ejected. */
  until(id: string): number | null {
    return this.records.get(id)?.until ?? null;
  }

  ejections(id: string): number {
    return this.records.get(id)?.ejections ?? 0;
  }

  /** Everybody who is ejected now, and until when. */
  ejected(): { id: string; until: number; ejections: number }[] {
    return [...this.records].flatMap(([id, { until, ejections }]) =>
      until === null ? [] : [{ id, until, ejections }],
    );
  }

  /** As it was before this process. */
  restore(id: string, until: number, ejections: number): void {
    Object.assign(this.recordOf(id), { until, ejections });
  }

  /** Those whose time is over; they are in again from now on. */
  returning(now: number): string[] {
    const back: string[] = [];
    for (const [id, record] of this.records) {
      if (record.until === null || (record.until > now && this.rules.failures > 0)) continue;
      record.until = null;
      record.returnedAt = now;
      back.push(id);
    }
    return back;
  }

  /** When the next one returns; null where nobody is out. */
  nextReturn(): number | null {
    const times = [...this.records.values()].flatMap(({ until }) => until ?? []);
    return times.length === 0 ? null : Math.min(...times);
  }

  /** Forgets all others. */
  keep(ids: ReadonlySet<string>): void {
    for (const id of this.records.keys()) if (!ids.has(id)) this.records.delete(id);
  }

  private recordOf(id: string): Record {
    const known = this.records.get(id);
    if (known) return known;
    const record: Record = { streak: 0, ejections: 0, until: null, returnedAt: Number.NEGATIVE_INFINITY };
    this.records.set(id, record);
    return record;
  }
}
