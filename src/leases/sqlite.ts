// The ledger in SQLite: one file that every reeve process of this user shares; no daemon is needed.
import path from 'node:path';
import type { Clock } from '../core/context.ts';
import { endOf, type LeaseOwner } from '../core/lease.ts';
import { type Database, openDatabase } from '../store/index.ts';
import type { AuditQuery, Lease, LeaseKey } from './book.ts';
import type { Ledger, Offer, Offered, Order } from './ledger.ts';
import { type AuditLimits, SqliteAudit } from './sqlite-audit.ts';
import { Candidates, type Search } from './sqlite-candidates.ts';
import { type LeaseRow, leaseOf, migrations, ownerOf, tenureOf } from './sqlite-rows.ts';
import { keyOf, LeaseTable } from './sqlite-table.ts';
import { unavailable } from './unavailable.ts';

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
    await ledger.tidy();
    return ledger;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Grants between two prunings of the audit. */
const pruneEvery = 100;

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
    this.#table = new LeaseTable(database, clock);
    this.#candidates = new Candidates(database, () => this.#table.endLapsed());
  }

  /** Bounds the audit, and ends what has run out, be it before the machine was started anew. */
  tidy(): Promise<void> {
    return this.#change(() => {
      this.#audit.prune();
      this.#table.endLapsed();
    });
  }

  async offer(order: Order, signal: AbortSignal): Promise<Offered> {
    const named = this.#table.named(order.name);
    const holders = named.filter((row) => row.ended_at === null && row.pid !== null).map(ownerOf);
    const isGone = holders.length > 0 ? await order.goneAmong(holders) : () => false;
    const search = { ...order, isGone };
    const inTransaction = () => this.#database.transaction(() => this.#offerInTurn(search));
    const work = () => this.#offerAtOnce(search, named) ?? inTransaction();
    const offered = await this.#database.inTurn(work, signal);
    if (offered.offers.some(({ lease }) => Number(lease.id) % pruneEvery === 0)) await this.tidy();
    return offered;
  }

  async withdraw(offers: Offer[], evidence: ReadonlyMap<number, Record<string, unknown>>): Promise<void> {
    await this.#change(() => {
      // What was only prolonged stays as it is.
      for (const offer of offers.filter(({ renewed }) => !renewed)) {
        const { port } = offer.lease;
        const why = evidence.get(port);
        const row = this.#table.end(offer.lease, why ? 'refused' : 'released', why ?? { why: 'not needed' });
        const before = this.#before.get(offer) ?? null;
        if (!row) continue;
        if (!why || before?.ended_at === null) this.#table.restore(port, before);
        // A stranger has it: the name that had it before keeps it in mind, a new one does not.
        else this.#table.rename(port, before?.name ?? null, before?.home ?? 0);
      }
    });
  }

  markBound(key: LeaseKey, evidence: Record<string, unknown> = {}): Promise<boolean> {
    return this.#change(() => {
      const row = this.#table.own(key);
      if (!row || row.ended_at !== null) return false;
      this.#table.markBound(row);
      this.#audit.write('bound', row, evidence);
      return true;
    });
  }

  renew(keys: LeaseKey[]): Promise<Lease[]> {
    return this.#database.inTurn(() => this.#each(keys, (key) => this.#table.renew(key, null)));
  }

  release(keys: LeaseKey[], evidence: Record<string, unknown> = {}): Promise<Lease[]> {
    const end = (key: LeaseKey) => this.#table.end(key, 'released', evidence);
    return this.#database.inTurn(() => this.#each(keys, end));
  }

  releaseNow(keys: LeaseKey[], evidence: Record<string, unknown>): void {
    this.#each(keys, (key) => this.#table.end(key, 'released', evidence));
  }

  note(key: LeaseKey, kind: 'stolen' | 'moved' | 'refused', evidence: object): Promise<void> {
    return this.#change(() => {
      const row = this.#table.own(key);
      if (row) this.#audit.write(kind, row, evidence);
    });
  }

  async owners(): Promise<LeaseOwner[]> {
    return this.#table.owners();
  }

  end(isGone: (owner: LeaseOwner) => boolean): Promise<void> {
    return this.#change(() => this.#table.endGone(isGone));
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

  #change<Result>(work: () => Result): Promise<Result> {
    return this.#database.inTurn(() => this.#database.transaction(work));
  }

  /** The usual case in one statement, without a turn of its own; null where it is another, or another was quicker. */
  #offerAtOnce(order: Search, named: LeaseRow[]): Offered | null {
    if (order.count > 1) return null;
    const plan = this.#plan(order, named);
    const [port] = plan.ports;
    if (port === undefined || plan.prolong.length > 0) return null;
    const before = this.#at(port, named);
    if (before?.ended_at === null) return null;
    const offer = this.#take(port, order, before);
    return offer && { offers: [offer], homes: named.map((row) => row.port) };
  }

  #offerInTurn(order: Search): Offered {
    const named = this.#table.named(order.name);
    const plan = this.#plan(order, named);
    const prolonged = plan.prolong.map((row): Offer => {
      const renewed = this.#table.renew(keyOf(row), order.ttlMs)!;
      return { lease: this.#lease(renewed), renewed: true, home: true };
    });
    const taken = plan.ports.map(
      (port) => this.#take(port, order, this.#clear(this.#at(port, named), order))!,
    );
    return {
      offers: [...prolonged, ...taken].sort((a, b) => a.lease.port - b.lease.port),
      homes: named.map((row) => row.port),
    };
  }

  /** What would meet the order now. */
  #plan(order: Search, named: LeaseRow[]): { prolong: LeaseRow[]; ports: number[] } {
    const now = this.#clock.monotonic();
    const goesOn = (row: LeaseRow) => endOf(tenureOf(row), now, () => false) === null;
    const mayProlong = (row: LeaseRow) => row.pid === null && goesOn(row) && order.isSuitable(row.port);
    const prolong = order.owner ? [] : named.filter(mayProlong).slice(0, order.count);
    const count = order.count - prolong.length;
    const others = named.filter((row) => !prolong.includes(row));
    const ports = count === 0 ? [] : this.#candidates.choose({ ...order, count }, others, now);
    const isHome = (port: number) => named.some((row) => row.port === port);
    if (!ports || (order.strict && named.length > 0 && !ports.every(isHome)))
      throw unavailable(
        order,
        named.map(({ port }) => port),
      );
    return { prolong, ports };
  }

  /** Read already where it is one of the name's own. */
  #at(port: number, named: LeaseRow[]): LeaseRow | null {
    return named.find((row) => row.port === port) ?? this.#table.at(port);
  }

  #take(port: number, order: Order, before: LeaseRow | null): Offer | null {
    const owner = order.owner ?? { host: this.#host, pid: null, start: null, startedAt: null };
    const tookOver = before?.ended_at === null ? { tookOver: String(before.grant_id) } : {};
    const row = this.#table.claim(
      {
        ...{ port, name: order.name, ttl: order.ttlMs, host: owner.host, pid: owner.pid, start: owner.start },
        ...{ started_wall: owner.startedAt, evidence: JSON.stringify({ ttlMs: order.ttlMs, ...tookOver }) },
      },
      before,
    );
    if (!row) return null;
    const offer = { lease: this.#lease(row), renewed: false, home: before?.name === order.name };
    this.#before.set(offer, before);
    return offer;
  }

  /** Ends what an owner that is gone left behind. What the same name has without a process is taken over as it is. */
  #clear(row: LeaseRow | null, order: Order): LeaseRow | null {
    if (row?.ended_at !== null || (row.pid === null && row.name === order.name)) return row;
    return this.#table.expire(row, this.#clock.monotonic());
  }

  /** All or none; a single one needs no turn for that. */
  #each(keys: LeaseKey[], work: (key: LeaseKey) => LeaseRow | null): Lease[] {
    const all = () => keys.map(work).filter((row) => row !== null);
    return (keys.length === 1 ? all() : this.#database.transaction(all)).map((row) => this.#lease(row));
  }

  #lease(row: LeaseRow): Lease {
    return leaseOf(row, { monotonic: this.#clock.monotonic(), wall: this.#clock.wall() });
  }
}
