// The ledger in SQLite: one file that every reeve process of this user shares; no daemon is needed.
import path from 'node:path';
import type { Clock } from '../core/context.ts';
import { ReeveError } from '../core/errors.ts';
import { endOf, type LeaseOwner } from '../core/lease.ts';
import { type Database, openDatabase } from '../store/index.ts';
import type { AuditQuery, Lease, LeaseKey } from './book.ts';
import type { Ledger, Offer, Offered, Order } from './ledger.ts';
import { type AuditLimits, SqliteAudit } from './sqlite-audit.ts';
import { Candidates } from './sqlite-candidates.ts';
import { type LeaseRow, leaseOf, migrations, tenureOf } from './sqlite-rows.ts';
import { LeaseTable } from './sqlite-table.ts';

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
  try {
    const ledger = new SqliteLedger(database, options);
    ledger.tidy();
    return ledger;
  } catch (error) {
    database.close();
    throw error;
  }
}

class SqliteLedger implements Ledger {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #host: string;
  readonly #audit: SqliteAudit;
  readonly #table: LeaseTable;
  readonly #candidates: Candidates;
  /** Rows as they were before this process's offers, which may be withdrawn. */
  readonly #before = new WeakMap<Offer, LeaseRow | null>();

  constructor(database: Database, { clock, host, audit }: SqliteOptions) {
    this.#database = database;
    this.#clock = clock;
    this.#host = host;
    this.#audit = new SqliteAudit(database, audit, clock.wall);
    this.#table = new LeaseTable(database, this.#audit, clock.monotonic);
    this.#candidates = new Candidates(database, () => this.#table.endLapsed());
  }

  /** Bounds the audit, and ends what has run out, be it before the machine was started anew. */
  tidy(): void {
    this.#database.transaction(() => {
      this.#audit.prune();
      this.#table.endLapsed();
    });
  }

  async offer(order: Order): Promise<Offered> {
    return this.#database.transaction(() => {
      const now = this.#clock.monotonic();
      const rows = this.#table.named(order.name);
      const goesOn = (row: LeaseRow) => endOf(tenureOf(row), now, () => false) === null;
      const going = order.owner ? [] : rows.filter((row) => row.pid === null && goesOn(row));
      const renewed = going
        .filter(({ port }) => order.isSuitable(port))
        .slice(0, order.count)
        .map((row) => this.#prolong({ ...row, ttl: order.ttlMs }));
      const count = order.count - renewed.length;
      const others = rows.filter(({ port }) => !renewed.some((row) => row.port === port));
      const ports = count === 0 ? [] : this.#candidates.choose({ ...order, count }, others, now);
      const isHome = (port: number) => rows.some((row) => row.port === port);
      if (!ports || (order.strict && rows.length > 0 && !ports.every(isHome))) throw unavailable(order, rows);
      const offers = [
        ...renewed.map((row) => ({ lease: this.#lease(row), renewed: true, home: true })),
        ...ports.map((port) => this.#take(port, order, rows)),
      ];
      return {
        offers: offers.sort((a, b) => a.lease.port - b.lease.port),
        homes: rows.map(({ port }) => port),
      };
    });
  }

  async withdraw(offers: Offer[], evidence: ReadonlyMap<number, Record<string, unknown>>): Promise<void> {
    this.#database.transaction(() => {
      const now = this.#clock.monotonic();
      for (const offer of offers) {
        const row = this.#table.own(offer.lease);
        // What was only prolonged stays as it is.
        if (!row || offer.renewed) continue;
        const why = evidence.get(row.port);
        const before = this.#before.get(offer) ?? null;
        this.#audit.write(why ? 'refused' : 'released', row, row.grant_id, why ?? { why: 'not needed' });
        if (before && (!why || before.ended_at === null)) this.#table.put(before);
        else if (why) this.#table.put({ ...row, ...formerName(before), state: 'released', ended_at: now });
        else this.#table.forget(row.port);
      }
    });
  }

  async markBound(key: LeaseKey, evidence: Record<string, unknown> = {}): Promise<boolean> {
    return this.#database.transaction(() => {
      const row = this.#table.own(key);
      if (!row || row.ended_at !== null) return false;
      if (row.state !== 'bound') this.#table.change(row, { state: 'bound' });
      this.#audit.write('bound', row, row.grant_id, evidence);
      return true;
    });
  }

  async renew(keys: LeaseKey[]): Promise<Lease[]> {
    return this.#database.transaction(() => {
      const rows = keys.map((key) => this.#table.own(key)).filter((row) => row !== null);
      // One that expired while its owner was stopped, and that nobody else has by now, goes on.
      return rows
        .filter((row) => row.ended_at === null || row.state === 'expired')
        .map((row) => this.#lease(this.#prolong(row)));
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
      const row = this.#table.own(key);
      if (row) this.#audit.write(kind, row, row.grant_id, evidence);
    });
  }

  async owners(name?: string): Promise<LeaseOwner[]> {
    return this.#table.owners(name ?? null);
  }

  async end(isGone: (owner: LeaseOwner) => boolean): Promise<void> {
    this.#database.transaction(() => this.#table.endGone(isGone));
  }

  async list(name?: string): Promise<Lease[]> {
    return this.#table.going(name ?? null).map((row) => this.#lease(row));
  }

  async audit(query: AuditQuery) {
    return this.#audit.read(query);
  }

  close(): void {
    this.#database.close();
  }

  #lease(row: LeaseRow): Lease {
    return leaseOf(row, { monotonic: this.#clock.monotonic(), wall: this.#clock.wall() });
  }

  #take(port: number, order: Order, named: LeaseRow[]): Offer {
    const now = this.#clock.monotonic();
    const own = named.find((row) => row.port === port);
    const before = this.#clear(own ?? this.#table.at(port), order);
    const owner = order.owner ?? { host: this.#host, pid: null, start: null, startedAt: null };
    const subject = {
      ...{ port, name: order.name, host: owner.host, pid: owner.pid, start: owner.start },
      started_wall: owner.startedAt,
    };
    const tookOver = before?.ended_at === null ? { tookOver: String(before.grant_id) } : {};
    const id = this.#audit.write('granted', subject, null, { ttlMs: order.ttlMs, ...tookOver });
    const fresh: LeaseRow = {
      ...subject,
      ...{ home: id, grant_id: id, state: 'offered', ttl: order.ttlMs },
      ...{ renewed_at: now, ends_at: now + order.ttlMs, ended_at: null, renewals: 0 },
      granted_wall: this.#clock.wall(),
    };
    const row = own && before ? this.#table.change(before, fresh) : this.#table.put(fresh);
    const offer = { lease: this.#lease(row), renewed: false, home: own !== undefined };
    this.#before.set(offer, before);
    return offer;
  }

  /** Ends what an owner that is gone left behind. What the same name has without a process is taken over as it is. */
  #clear(row: LeaseRow | null, order: Order): LeaseRow | null {
    if (row?.ended_at !== null || (row.pid === null && row.name === order.name)) return row;
    return this.#table.expire(row, this.#clock.monotonic());
  }

  #prolong(row: LeaseRow): LeaseRow {
    const now = this.#clock.monotonic();
    return this.#table.change(row, {
      ...{ state: row.state === 'expired' ? 'offered' : row.state, ended_at: null },
      ...{ renewed_at: now, ends_at: now + row.ttl, renewals: row.renewals + 1 },
    });
  }

  #release(keys: LeaseKey[], evidence: object): Lease[] {
    return this.#database.transaction(() => {
      const now = this.#clock.monotonic();
      const rows = keys.map((key) => this.#table.own(key)).filter((row) => row !== null);
      const going = rows.filter((row) => row.ended_at === null);
      return going.map((row) => this.#lease(this.#table.end(row, 'released', evidence, now)));
    });
  }
}

/** A stranger has the port: the name that had it before keeps it in mind, a new one does not. */
const formerName = (before: LeaseRow | null) => ({ name: before?.name ?? null, home: before?.home ?? 0 });

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
