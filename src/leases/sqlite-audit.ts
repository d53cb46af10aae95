// The audit of the SQLite ledger: only ever appended to, and pruned from its old end.
import type { Database, Value } from '../store/index.ts';
import type { AuditEntry, AuditKind, AuditQuery } from './book.ts';
import { type AuditRow, auditEntryOf, type LeaseRow } from './sqlite-rows.ts';

export interface AuditLimits {
  rows: number;
  ageMs: number;
}

/** 20,000 grants and releases are a few megabytes. */
export const auditLimits: AuditLimits = { rows: 50_000, ageMs: 7 * 86_400_000 };

/** Pruned when the book is opened, and again after so many entries by any process. */
const pruneEvery = 1000;

/** Entries are in the order of time, so that no index is needed: every one would make grants slower. */
const firstSince = '(select min(id) from audit where wall >= ?)';

export type Subject = Pick<LeaseRow, 'port' | 'name' | 'host' | 'pid' | 'start' | 'started_wall'>;

export class SqliteAudit {
  readonly #database: Database;
  readonly #limits: AuditLimits;
  readonly #wall: () => number;

  constructor(database: Database, limits: AuditLimits, wall: () => number) {
    this.#database = database;
    this.#limits = limits;
    this.#wall = wall;
  }

  /** `grant` null: the entry's own number is the id of a new grant. @returns that number. */
  write(kind: AuditKind, subject: Subject, grant: number | null, evidence: object = {}): number {
    const { lastId: id } = this.#database.run(
      `insert into audit (wall, kind, name, port, grant_id, host, pid, start, started_wall, evidence)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      this.#wall(),
      kind,
      subject.name ?? '',
      subject.port,
      grant,
      subject.host,
      subject.pid,
      subject.start,
      subject.started_wall,
      JSON.stringify(evidence),
    );
    if (id % pruneEvery === 0) this.prune();
    return id;
  }

  /** The newest entry stays, so that numbers never come again. */
  prune(): void {
    const last = '(select max(id) from audit)';
    const { rows, ageMs } = this.#limits;
    this.#database.run(`delete from audit where id <= ${last} - ?`, Math.max(1, rows));
    const old = `coalesce(${firstSince}, ${last})`;
    this.#database.run(`delete from audit where id < ${old}`, this.#wall() - ageMs);
  }

  read({ sinceMs, name, limit = 10_000 }: AuditQuery): AuditEntry[] {
    const conditions: string[] = [];
    const values: Value[] = [];
    if (sinceMs !== undefined) {
      conditions.push(`id >= ${firstSince}`);
      values.push(this.#wall() - sinceMs);
    }
    if (name !== undefined) {
      conditions.push('name = ?');
      values.push(name);
    }
    const where = conditions.length > 0 ? `where ${conditions.join(' and ')}` : '';
    const rows = this.#database.all<AuditRow>(
      `select wall, kind, name, port, coalesce(grant_id, id) as grant_id, host, pid, start, started_wall, evidence
       from audit ${where} order by id desc limit ?`,
      ...values,
      limit,
    );
    return rows.reverse().map(auditEntryOf);
  }
}
