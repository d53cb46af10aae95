// The ledger in SQLite: one file that every reeve process of this user shares; no daemon is needed.
import path from 'node:path';
import type { Clock } from '../core/context.ts';
import { ReeveError } from '../core/errors.ts';
import { endOf, type LeaseOwner } from '../core/lease.ts';
import { type Database, openDatabase } from '../store/index.ts';
import type { Lease, LeaseKey } from './book.ts';
import type { Ledger, Offer, Order } from './ledger.ts';
import { type AuditLimits, SqliteAudit } from './sqlite-audit.ts';
import { Candidates } from './sqlite-candidates.ts';
import { type LeaseRow, leaseOf, migrations, ownerOf, tenureOf } from './sqlite-rows.ts';

export interface SqliteOptions {
  folder: string;
  clock: Clock;
  /** This machine's name, for leases without a process. */
  host: string;
  audit: AuditLimits;
  busyMs?: number;
}

export async function openSqliteLedger(options: SqliteOptions): Promise<Ledger> {
  // A file of its own, so that no other bookkeeping makes a grant wait.
  const database = await openDatabase(path.join(options.folder, 'leases.db'), {
    migrations,
    ...(options.busyMs === undefined ? {} : { busyMs: options.busyMs }),
  });
  const ledger = new SqliteLedger(database, options);
  try {
    ledger.tidy();
  } catch (error) {
    database.close();
    throw error;
  }
  return ledger;
}

const columns = [
  ...['port', 'name', 'home', 'grant_id', 'state', 'host', 'pid', 'start', 'started_wall'],
  ...['ttl', 'renewed_at', 'ends_at', 'ended_at', 'renewals', 'granted_wall'],
] as const satisfies (keyof LeaseRow)[];

const putRow = `insert or replace into lease (${columns.join(', ')}) values (${columns.map(() => '?').join(', ')})`;

class SqliteLedger implements Ledger {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #host: string;
  readonly #audit: SqliteAudit;
  readonly #candidates: Candidates;
  /** Rows as they were before this process's offers, until they are proved or withdrawn. */
  readonly #before = new WeakMap<Offer, LeaseRow | null>();

  constructor(database: Database, { clock, host, audit }: SqliteOptions) {
    this.#database = database;
    this.#clock = clock;
    this.#host = host;
    this.#audit = new SqliteAudit(database, audit, clock.wall);
    this.#candidates = new Candidates(database);
  }

  tidy(): void {
    this.#database.transaction(() => this.#audit.prune());
  }

  async offer(order: Order): Promise<Offer[]> {
    return this.#database.transaction(() => {
      const now = this.#clock.monotonic();
      this.#endExpired(now);
      const rows = this.#named(order.name);
      const going = order.owner ? [] : rows.filter((row) => row.pid === null && row.ended_at === null);
      const renewed = going
        .filter(({ port }) => order.isSuitable(port))
        .slice(0, order.count)
        .map((row) => this.#prolong({ ...row, ttl: order.ttlMs }, now));
      const count = order.count - renewed.length;
      const others = rows.filter(({ port }) => !renewed.some((row) => row.port === port));
      const ports = count === 0 ? [] : this.#candidates.choose({ ...order, count }, others, now);
      const isHome = (port: number) => rows.some((row) => row.port === port);
      if (!ports || (order.strict && rows.length > 0 && !ports.every(isHome))) throw unavailable(order, rows);
      return [
        ...renewed.map((row) => ({ lease: this.#lease(row), renewed: true, home: true })),
        ...ports.map((port) => this.#take(port, order, now, isHome(port))),
      ].sort((a, b) => a.lease.port - b.lease.port);
    });
  }

  async withdraw(offers: Offer[], evidence: ReadonlyMap<number, Record<string, unknown>>): Promise<void> {
    this.#database.transaction(() => {
      const now = this.#clock.monotonic();
      for (const offer of offers) {
        const row = this.#own(offer.lease);
        if (!row) continue;
        const why = evidence.get(row.port);
        const before = this.#before.get(offer) ?? null;
        this.#audit.write(why ? 'refused' : 'released', row, row.grant_id, why ?? { why: 'not needed' });
        if (before?.ended_at === null) this.#put(before);
        else if (why) this.#put({ ...row, ...forgotten(before), state: 'released', ended_at: now });
        else if (before) this.#put(before);
        else this.#database.run('delete from lease where port = ?', row.port);
      }
    });
  }

  async markBound(key: LeaseKey, evidence: Record<string, unknown> = {}): Promise<boolean> {
    return this.#database.transaction(() => {
      const row = this.#own(key);
      if (!row || row.ended_at !== null) return false;
      if (row.state !== 'bound') this.#put({ ...row, state: 'bound' });
      this.#audit.write('bound', row, row.grant_id, evidence);
      return true;
    });
  }

  async renew(keys: LeaseKey[]): Promise<Lease[]> {
    return this.#database.transaction(() => {
      const now = this.#clock.monotonic();
      const rows = keys.map((key) => this.#own(key)).filter((row) => row !== null);
      // One that expired while its owner was stopped, and that nobody else has by now, goes on.
      return rows
        .filter((row) => row.ended_at === null || row.state === 'expired')
        .map((row) => this.#lease(this.#prolong(row, now)));
    });
  }

  async release(keys: LeaseKey[], evidence: Record<string, unknown> = {}): Promise<Lease[]> {
    return this.#release(keys, evidence);
  }

  releaseNow(keys: LeaseKey[]): void {
    this.#release(keys, { why: 'the process exited' });
  }

  async note(key: LeaseKey, kind: 'stolen' | 'moved' | 'refused', evidence: object): Promise<void> {
    this.#database.transaction(() => {
      const row = this.#own(key);
      if (row) this.#audit.write(kind, row, row.grant_id, evidence);
    });
  }

  async homes(name: string): Promise<number[]> {
    return this.#named(name).map(({ port }) => port);
  }

  async owners(name?: string): Promise<LeaseOwner[]> {
    const ofName = name === undefined ? '' : 'name = ?1 and';
    const rows = this.#database.all<LeaseRow>(
      `select distinct host, pid, start, null as started_wall from lease
       where ${ofName} ended_at is null and pid is not null`,
      ...(name === undefined ? [] : [name]),
    );
    return rows.map(ownerOf);
  }

  async end(isGone: (owner: LeaseOwner) => boolean): Promise<void> {
    this.#database.transaction(() => {
      const now = this.#clock.monotonic();
      for (const row of this.#database.all<LeaseRow>('select * from lease where ended_at is null')) {
        const end = endOf(tenureOf(row), now, isGone);
        if (end !== null) this.#end(row, 'expired', { why: whyEnded(row, now) }, Math.max(0, end));
      }
    });
  }

  async list(name?: string): Promise<Lease[]> {
    const rows = this.#database.all<LeaseRow>(
      'select * from lease where ended_at is null and (?1 is null or name = ?1) order by port',
      name ?? null,
    );
    return rows.map((row) => this.#lease(row));
  }

  async audit(query: Parameters<Ledger['audit']>[0]) {
    return this.#audit.read(query);
  }

  close(): void {
    this.#database.close();
  }

  #lease(row: LeaseRow): Lease {
    return leaseOf(row, { monotonic: this.#clock.monotonic(), wall: this.#clock.wall() });
  }

  #named(name: string): LeaseRow[] {
    return this.#database.all<LeaseRow>('select * from lease where name = ? order by home', name);
  }

  /** The row of a grant, unless the port has gone to another since. */
  #own({ port, id }: LeaseKey): LeaseRow | null {
    const [row] = this.#database.all<LeaseRow>(
      'select * from lease where port = ? and grant_id = ?',
      port,
      Number(id),
    );
    return row ?? null;
  }

  #put(row: LeaseRow): LeaseRow {
    this.#database.run(putRow, ...columns.map((column) => row[column]));
    return row;
  }

  #take(port: number, order: Order, now: number, home: boolean): Offer {
    const before = this.#clear(port, order, now);
    const owner = order.owner ?? { host: this.#host, pid: null, start: null, startedAt: null };
    const subject = {
      ...{ port, name: order.name, host: owner.host, pid: owner.pid, start: owner.start },
      started_wall: owner.startedAt,
    };
    const tookOver = before?.ended_at === null ? { tookOver: String(before.grant_id) } : {};
    const id = this.#audit.write('granted', subject, null, { ttlMs: order.ttlMs, ...tookOver });
    const row = this.#put({
      ...subject,
      ...{ home: home && before ? before.home : id, grant_id: id, state: 'offered', ttl: order.ttlMs },
      ...{ renewed_at: now, ends_at: now + order.ttlMs, ended_at: null, renewals: 0 },
      granted_wall: this.#clock.wall(),
    });
    const offer = { lease: this.#lease(row), renewed: false, home };
    this.#before.set(offer, before);
    return offer;
  }

  /** Ends what an owner that is gone left behind. What the same name has without a process is taken over as it is. */
  #clear(port: number, order: Order, now: number): LeaseRow | null {
    const [row = null] = this.#database.all<LeaseRow>('select * from lease where port = ?', port);
    if (row?.ended_at !== null || (row.pid === null && row.name === order.name)) return row;
    return this.#end(row, 'expired', { why: whyEnded(row, now) }, now);
  }

  #prolong(row: LeaseRow, now: number): LeaseRow {
    return this.#put({
      ...{ ...row, state: row.state === 'expired' ? 'offered' : row.state, ended_at: null },
      ...{ renewed_at: now, ends_at: now + row.ttl, renewals: row.renewals + 1 },
    });
  }

  #release(keys: LeaseKey[], evidence: object): Lease[] {
    return this.#database.transaction(() => {
      const rows = keys.map((key) => this.#own(key)).filter((row) => row?.ended_at === null);
      return rows.map((row) => this.#lease(this.#end(row!, 'released', evidence, this.#clock.monotonic())));
    });
  }

  #end(row: LeaseRow, state: 'released' | 'expired', evidence: object, at: number): LeaseRow {
    if (row.renewals > 0) {
      const lastMsAgo = this.#clock.monotonic() - row.renewed_at;
      this.#audit.write('renewed', row, row.grant_id, { times: row.renewals, lastMsAgo });
    }
    this.#audit.write(state, row, row.grant_id, evidence);
    return this.#put({ ...row, state, ended_at: at });
  }

  #endExpired(now: number): void {
    const rows = this.#database.all<LeaseRow>(
      'select * from lease where ended_at is null and ends_at <= ?',
      now,
    );
    for (const row of rows) this.#end(row, 'expired', { why: whyEnded(row, now) }, row.ends_at);
  }
}

/** A stranger has it: the name that it belonged to before keeps it in mind, a new one does not. */
const forgotten = (before: LeaseRow | null) => ({ name: before?.name ?? null, home: before?.home ?? 0 });

function whyEnded(row: LeaseRow, now: number): string {
  if (row.renewed_at > now) return 'the machine was started anew';
  if (row.ends_at > now) return 'its owner is gone';
  return row.pid === null ? 'its time was over' : 'no heartbeat came';
}

function unavailable(order: Order, rows: LeaseRow[]): ReeveError {
  const { name, count, range } = order;
  const ports = rows.map(({ port }) => port).slice(0, 5);
  if (order.strict && ports.length > 0) {
    return new ReeveError(
      'conflict',
      `${name} cannot have ${count > 1 ? `${count} of its ports` : 'its port'} again (${ports.join(', ')})`,
      { hint: `See who has it: reeve leases ${name}; reeve who ${ports[0]}` },
    );
  }
  return new ReeveError(
    'conflict',
    `no ${count > 1 ? `${count} ports` : 'port'} left to lease in ${range.first}-${range.last}`,
    { hint: 'See what is leased: reeve leases. Or use a wider --range' },
  );
}
