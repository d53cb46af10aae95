// The audit of the SQLite ledger: only ever appended to, and pruned from its old end.
import type { Database, Value } from '../store/index.ts';
import type { AuditEntry, AuditKind, AuditQuery } from './book.ts';
import { type AuditRow, auditEntryOf, type LeaseRow } from './sqlite-rows.ts';

export interface AuditLimits {
  rows: number;
  ageMs: number;
}

/** A few megabytes. */
export const auditLimits: AuditLimits = { rows: 50_000, ageMs: 7 * 86_400_000 };

/** Entries are in the order of time, so that no index is needed. */
const firstSince = '(select min(id) from audit where wall >= ?)';
const last = '(select max(id) from audit)';

export class SqliteAudit {
  readonly #database: Database;
  readonly #limits: AuditLimits;
  readonly #wall: () => number;

  constructor(database: Database, limits: AuditLimits, wall: () => number) {
    this.#database = database;
    this.#limits = limits;
    this.#wall = wall;
  }

  /** What happens to a lease between its grant and its end; those two are written by triggers. */
  write(kind: AuditKind, row: LeaseRow, evidence: object): void {
    this.#database.run(
      `insert into audit (wall, kind, name, port, grant_id, host, pid, start, started_wall, evidence)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ...[this.#wall(), kind, row.name ?? '', row.port, row.grant_id],
      ...[row.host, row.pid, row.start, row.started_wall, JSON.stringify(evidence)],
    );
  }

  /** The newest entry stays, so that numbers never come again. */
  prune(): void {
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
    const sql = `select * from audit ${where} order by id desc limit ?`;
    return this.#database
      .all<AuditRow>(sql, ...values, limit)
      .reverse()
      .map(auditEntryOf);
  }
}
