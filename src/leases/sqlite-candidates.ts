// Where the SQLite ledger finds ports to offer: the name's own, unused ones, and those that rested longest.
import { aheadMs, type Choices, choosePorts, type LeaseOwner, mayPass } from '../core/lease.ts';
import type { PortRange } from '../core/range.ts';
import type { Database } from '../store/index.ts';
import type { Order } from './ledger.ts';
import { type LeaseRow, tenureOf } from './sqlite-rows.ts';

/** What is asked for, and the owners that were seen to be gone. */
export type Search = Order & { isGone: (owner: LeaseOwner) => boolean };

const page = 256;

export class Candidates {
  readonly #database: Database;
  readonly #endLapsed: () => void;
  /** Below it every port of the pool has a row, by the pool's first port. Rows stay, so it only grows. */
  readonly #frontiers = new Map<number, number>();

  /** `endLapsed` ends what has run out, which nobody may have noticed yet. */
  constructor(database: Database, endLapsed: () => void) {
    this.#database = database;
    this.#endLapsed = endLapsed;
  }

  /** Within a transaction. Null where there are not enough; `rows` are the name's own, those that go on too. */
  choose(order: Search, rows: LeaseRow[], now: number): number[] | null {
    const isFree = (row: LeaseRow) => this.#isFree(row, order, now);
    const choices: Choices = {
      homes: rows.filter((row) => order.isSuitable(row.port) && isFree(row)).map(({ port }) => port),
      unused: () => this.#unused(order),
      oldest: () => this.#oldest(order, now, isFree),
    };
    const chosen = choosePorts(order.count, choices);
    if (chosen || this.#frontiers.size === 0) return chosen;
    // Offers taken back leave gaps below the frontier.
    this.#frontiers.clear();
    return choosePorts(order.count, choices);
  }

  #isFree(row: LeaseRow, order: Search, now: number): boolean {
    // A process may take over what its own name has without a process: the bind tells whether it is in use.
    if (order.owner && row.name === order.name && row.pid === null) return true;
    return mayPass(tenureOf(row), { ...order, now }, order.isGone);
  }

  *#unused(order: Order): Generator<number> {
    const { range, isSuitable } = order;
    const frontier = this.#frontier(range);
    for (let port = frontier; port <= range.last; port++) {
      if (!isSuitable(port)) continue;
      const next = this.#firstWithoutRow(port);
      if (next === port) yield port;
      else port = next - 1;
    }
  }

  #frontier({ first }: PortRange): number {
    if (this.#frontiers.size > 100) this.#frontiers.clear();
    const frontier = this.#firstWithoutRow(this.#frontiers.get(first) ?? first);
    this.#frontiers.set(first, frontier);
    return frontier;
  }

  #firstWithoutRow(from: number): number {
    const [row] = this.#database.all<{ port: number }>(
      `select case when not exists (select 1 from lease where port = ?1) then ?1 else (
         select l.port + 1 from lease l
         where l.port >= ?1 and not exists (select 1 from lease n where n.port = l.port + 1)
         order by l.port limit 1) end as port`,
      from,
    );
    return row!.port;
  }

  *#oldest(order: Order, now: number, isFree: (row: LeaseRow) => boolean): Generator<number> {
    const { range, quarantineMs, isSuitable, name } = order;
    this.#endLapsed();
    for (let offset = 0; ; offset += page) {
      const rows = this.#database.all<LeaseRow>(
        `select * from lease
         where ended_at is not null and (ended_at <= ? or ended_at > ?) and port between ? and ? and name is not ?
         order by ended_at limit ? offset ?`,
        now - quarantineMs,
        now + aheadMs,
        range.first,
        range.last,
        name,
        page,
        offset,
      );
      for (const row of rows) if (isSuitable(row.port) && isFree(row)) yield row.port;
      if (rows.length < page) return;
    }
  }
}
