// The table of leases in SQLite: rows found and written, each end of a lease with its entry in the audit.
import { endOf, type LeaseOwner } from '../core/lease.ts';
import type { Database } from '../store/index.ts';
import type { LeaseKey } from './book.ts';
import type { SqliteAudit } from './sqlite-audit.ts';
import { type LeaseRow, ownerOf, tenureOf } from './sqlite-rows.ts';

const columns = [
  ...['port', 'name', 'home', 'grant_id', 'state', 'host', 'pid', 'start', 'started_wall'],
  ...['ttl', 'renewed_at', 'ends_at', 'ended_at', 'renewals', 'granted_wall'],
] as const satisfies (keyof LeaseRow)[];

const putRow = `insert or replace into lease (${columns.join(', ')}) values (${columns.map(() => '?').join(', ')})`;

/** All but what says whose the port is, which spares an index. */
const changing = columns.filter((column) => !['port', 'name', 'home'].includes(column));
const changeRow = `update lease set ${changing.map((column) => `${column} = ?`).join(', ')} where port = ?`;

export class LeaseTable {
  readonly #database: Database;
  readonly #audit: SqliteAudit;
  readonly #now: () => number;

  constructor(database: Database, audit: SqliteAudit, now: () => number) {
    this.#database = database;
    this.#audit = audit;
    this.#now = now;
  }

  /** Of a name, the port that it had first coming first. */
  named(name: string): LeaseRow[] {
    return this.#database.all<LeaseRow>('select * from lease where name = ? order by home', name);
  }

  at(port: number): LeaseRow | null {
    return this.#database.all<LeaseRow>('select * from lease where port = ?', port)[0] ?? null;
  }

  /** Of a grant, unless the port has gone to another since. */
  own({ port, id }: LeaseKey): LeaseRow | null {
    const row = this.at(port);
    return row && String(row.grant_id) === id ? row : null;
  }

  going(name: string | null): LeaseRow[] {
    return this.#database.all<LeaseRow>(
      'select * from lease where ended_at is null and (?1 is null or name = ?1) order by port',
      name,
    );
  }

  owners(name: string | null): LeaseOwner[] {
    const sql = 'select distinct host, pid, start, null as started_wall from lease where';
    const going = 'ended_at is null and pid is not null';
    const rows =
      name === null
        ? this.#database.all<LeaseRow>(`${sql} ${going}`)
        : this.#database.all<LeaseRow>(`${sql} name = ? and ${going}`, name);
    return rows.map(ownerOf);
  }

  put(row: LeaseRow): LeaseRow {
    this.#database.run(putRow, ...columns.map((column) => row[column]));
    return row;
  }

  change(row: LeaseRow, to: Partial<LeaseRow>): LeaseRow {
    const changed = { ...row, ...to, port: row.port, name: row.name, home: row.home };
    this.#database.run(changeRow, ...changing.map((column) => changed[column]), row.port);
    return changed;
  }

  /** As if the port had never been leased. */
  forget(port: number): void {
    this.#database.run('delete from lease where port = ?', port);
  }

  end(row: LeaseRow, state: 'released' | 'expired', evidence: object, at: number): LeaseRow {
    if (row.renewals > 0) {
      const lastMsAgo = this.#now() - row.renewed_at;
      this.#audit.write('renewed', row, row.grant_id, { times: row.renewals, lastMsAgo });
    }
    this.#audit.write(state, row, row.grant_id, evidence);
    return this.change(row, { state, ended_at: at });
  }

  expire(row: LeaseRow, at: number): LeaseRow {
    return this.end(row, 'expired', { why: this.#whyEnded(row) }, at);
  }

  /** Ends what has run out, which nobody may have noticed yet. */
  endLapsed(): void {
    this.#endOver('(ends_at <= ?1 or renewed_at > ?1)', () => false);
  }

  endGone(isGone: (owner: LeaseOwner) => boolean): void {
    this.#endOver('? is not null', isGone);
  }

  #endOver(condition: string, isGone: (owner: LeaseOwner) => boolean): void {
    const now = this.#now();
    const sql = `select * from lease where ended_at is null and ${condition}`;
    for (const row of this.#database.all<LeaseRow>(sql, now)) {
      const end = endOf(tenureOf(row), now, isGone);
      if (end !== null) this.expire(row, Math.max(0, end));
    }
  }

  #whyEnded(row: LeaseRow): string {
    const now = this.#now();
    if (row.renewed_at > now) return 'the machine was started anew';
    if (row.ends_at > now) return 'its owner is gone';
    return row.pid === null ? 'its time was over' : 'no heartbeat came';
  }
}
