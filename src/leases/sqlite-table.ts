// The table of leases in SQLite: rows found, and changed by statements that fail where another was quicker.
import type { Clock } from '../core/context.ts';
import { aheadMs, endOf, type LeaseOwner } from '../core/lease.ts';
import type { Database, Value } from '../store/index.ts';
import type { LeaseKey } from './book.ts';
import { type LeaseRow, ownerOf, tenureOf } from './sqlite-rows.ts';

/** What a grant writes; the rest is reset. */
export type Claim = Pick<
  LeaseRow,
  'port' | 'host' | 'pid' | 'start' | 'started_wall' | 'ttl' | 'evidence'
> & {
  name: string;
};

const nextId = '(select coalesce(max(id), 0) + 1 from audit)';
const insert = `insert into lease (port, name, home, grant_id, state, host, pid, start, started_wall, ttl,
    renewed_at, ends_at, ended_at, renewals, granted_wall, changed_wall, evidence)
  values (?11, ?10, ${nextId}, ${nextId}, 'offered', ?1, ?2, ?3, ?4, ?5, ?6, ?7, null, 0, ?8, ?8, ?9)
  on conflict (port) do nothing returning grant_id`;
const claim = `set grant_id = ${nextId}, state = 'offered', host = ?1, pid = ?2, start = ?3, started_wall = ?4,
    ttl = ?5, renewed_at = ?6, ends_at = ?7, ended_at = null, renewals = 0, granted_wall = ?8, changed_wall = ?8,
    evidence = ?9`;
/** The row is still the one that was read. */
const unchanged = 'port = ?11 and grant_id = ?12 and renewals = ?13 and ended_at is ?14';
const again = `update lease ${claim} where name = ?10 and ${unchanged} returning grant_id`;
const pass = `update lease ${claim}, name = ?10, home = ${nextId} where ${unchanged} returning grant_id`;

/** Before any boot of the machine: infinity is no integer. */
const longAgo = -1e12;

export class LeaseTable {
  readonly #database: Database;
  readonly #clock: Clock;

  constructor(database: Database, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
  }

  /** Of a name, the port that it had first coming first. */
  named(name: string): LeaseRow[] {
    return this.#database.all('select * from lease where name = ? order by home', name);
  }

  at(port: number): LeaseRow | null {
    return this.#one('select * from lease where port = ?', port);
  }

  /** Of a grant, unless the port has gone to another since. */
  own({ port, id }: LeaseKey): LeaseRow | null {
    const row = this.at(port);
    return row && String(row.grant_id) === id ? row : null;
  }

  going(name: string | null): LeaseRow[] {
    const sql = 'select * from lease where ended_at is null and (?1 is null or name = ?1) order by port';
    return this.#database.all(sql, name);
  }

  owners(): LeaseOwner[] {
    const sql = `select distinct host, pid, start, null as started_wall from lease
      where ended_at is null and pid is not null`;
    return this.#database.all<LeaseRow>(sql).map(ownerOf);
  }

  /** `before` is the port's row as it was read. Null where another was quicker. */
  claim(to: Claim, before: LeaseRow | null): LeaseRow | null {
    const now = this.#clock.monotonic();
    const wall = this.#clock.wall();
    const { port, name, host, pid, start, started_wall, ttl, evidence } = to;
    const values = [host, pid, start, started_wall, ttl, now, now + ttl, wall, evidence, name, port];
    const isAgain = before?.name === name;
    if (before) values.push(before.grant_id, before.renewals, before.ended_at);
    const sql = !before ? insert : isAgain ? again : pass;
    const [made] = this.#database.all<{ grant_id: number }>(sql, ...values);
    if (!made) return null;
    const { grant_id } = made;
    // What was just written need not be read: a column that crosses over from SQLite costs a third of a microsecond.
    return {
      port,
      name,
      home: isAgain ? before.home : grant_id,
      grant_id,
      state: 'offered',
      host,
      pid,
      start,
      started_wall,
      ttl,
      renewed_at: now,
      ends_at: now + ttl,
      ended_at: null,
      renewals: 0,
      granted_wall: wall,
      changed_wall: wall,
      evidence,
    };
  }

  /** Null where the lease is lost. One that expired, and that nobody else has by now, goes on. */
  renew({ port, id }: LeaseKey, ttl: number | null): LeaseRow | null {
    const now = this.#clock.monotonic();
    return this.#one(
      `update lease set state = case state when 'expired' then 'offered' else state end, ended_at = null,
         ttl = coalesce(?3, ttl), renewed_at = ?4, ends_at = ?4 + coalesce(?3, ttl), renewals = renewals + 1
       where port = ?1 and grant_id = ?2 and (ended_at is null or state = 'expired') returning *`,
      ...[port, Number(id), ttl, now],
    );
  }

  /** Null where it had ended. */
  end(
    { port, id }: LeaseKey,
    state: 'released' | 'expired' | 'refused',
    evidence: object,
    at = this.#clock.monotonic(),
  ): LeaseRow | null {
    return this.#one(
      `update lease set state = ?3, ended_at = ?4, changed_wall = ?5, evidence = ?6
       where port = ?1 and grant_id = ?2 and ended_at is null returning *`,
      ...[port, Number(id), state, at, this.#clock.wall(), JSON.stringify(evidence)],
    );
  }

  markBound(row: LeaseRow): void {
    this.#database.run(`update lease set state = 'bound' where port = ?`, row.port);
  }

  /** Puts a row back as it was before a claim; null: as if the port had never been leased. */
  restore(port: number, before: LeaseRow | null): void {
    if (!before) {
      this.#database.run('delete from lease where port = ?', port);
      return;
    }
    const columns = Object.keys(before).filter((column) => column !== 'port') as (keyof LeaseRow)[];
    const assignments = columns.map((column) => `${column} = ?`).join(', ');
    const values = columns.map((column) => before[column]);
    this.#database.run(`update lease set ${assignments} where port = ?`, ...values, port);
  }

  /** Whose the port is remembered to be. */
  rename(port: number, name: string | null, home: number): void {
    this.#database.run('update lease set name = ?, home = ? where port = ?', name, home, port);
  }

  expire(row: LeaseRow, at: number): LeaseRow | null {
    return this.end(keyOf(row), 'expired', { why: this.#whyEnded(row) }, at);
  }

  /** Ends what has run out, which nobody may have noticed yet. */
  endLapsed(): void {
    this.#endOver(`(ends_at <= ?1 or renewed_at > ?1 + ${aheadMs})`, () => false);
  }

  endGone(isGone: (owner: LeaseOwner) => boolean): void {
    this.#endOver('? is not null', isGone);
  }

  #endOver(condition: string, isGone: (owner: LeaseOwner) => boolean): void {
    const now = this.#clock.monotonic();
    const sql = `select * from lease where ended_at is null and ${condition}`;
    for (const row of this.#database.all<LeaseRow>(sql, now)) {
      const end = endOf(tenureOf(row), now, isGone);
      if (end !== null) this.expire(row, Math.max(longAgo, end));
    }
  }

  #one(sql: string, ...values: Value[]): LeaseRow | null {
    return this.#database.all<LeaseRow>(sql, ...values)[0] ?? null;
  }

  #whyEnded(row: LeaseRow): string {
    const now = this.#clock.monotonic();
    if (row.renewed_at > now + aheadMs) return 'the machine was started anew';
    if (row.ends_at > now) return 'its owner is gone';
    return row.pid === null ? 'its time was over' : 'no heartbeat came';
  }
}

export const keyOf = (row: LeaseRow): LeaseKey => ({ port: row.port, id: String(row.grant_id) });
