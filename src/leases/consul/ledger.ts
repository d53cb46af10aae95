// The ledger in Consul: one pool for all machines that share a prefix. Every change is a transaction that fails where another was quicker.
import { randomUUID } from 'node:crypto';
import { backoffDelay } from '../../core/backoff.ts';
import type { Clock } from '../../core/context.ts';
import { ReeveError } from '../../core/errors.ts';
import type { LeaseOwner } from '../../core/lease.ts';
import { sleep } from '../../core/time.ts';
import type { Consul } from '../../store/index.ts';
import type { AuditQuery, Lease, LeaseKey } from '../book.ts';
import type { Ledger, Offer, Offered, Order } from '../ledger.ts';
import { unavailable } from '../unavailable.ts';
import { AuditPruner } from './audit-pruner.ts';
import { Changes } from './changes.ts';
import { type Choice, choose, namedIn, type Pool } from './choice.ts';
import { Heartbeats } from './heartbeats.ts';
import { Keys, mostOperations, type Operation, type Outcome } from './keys.ts';
import { type ConsulRow, endOfKept, type Here, type Kept, leaseOf, whyEnded } from './rows.ts';
import { Sessions } from './sessions.ts';

export interface ConsulLedgerOptions {
  consul: Consul;
  /** Of the keys: who has the same shares one pool. */
  prefix: string;
  clock: Clock;
  /** Tells machines and their boots apart. */
  machine: string;
  host: string;
  /** How long a port of a session that has ended rests, whoever wants it. Default 15,000 ms. */
  lockDelayMs?: number;
}

/** Milliseconds that an offer goes on while others are quicker. */
const offerWithin = 15_000;
const patience = { min: 5, max: 250 };
/** An offer of one port is at most six operations. */
const portsATime = Math.floor(mostOperations / 6);

export class ConsulLedger implements Ledger {
  readonly #options: ConsulLedgerOptions;
  readonly #keys: Keys;
  readonly #sessions: Sessions;
  readonly #changes: Changes;
  readonly #beats: Heartbeats;
  readonly #pruner: AuditPruner;
  /** What was there before this process's offers, which may be withdrawn. */
  readonly #before = new WeakMap<Offer, Kept | null>();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: ConsulLedgerOptions) {
    const { consul, prefix, lockDelayMs = 15_000 } = options;
    this.#options = options;
    this.#keys = new Keys(consul, prefix);
    this.#sessions = new Sessions(consul, lockDelayMs);
    this.#changes = new Changes(this.#keys, () => this.#here());
    this.#beats = new Heartbeats({
      ...{ consul, keys: this.#keys, sessions: this.#sessions, changes: this.#changes },
      here: () => this.#here(),
    });
    this.#pruner = new AuditPruner(this.#keys, options.clock);
  }

  /** One after another within a process: those of others are met often enough. */
  offer(order: Order): Promise<Offered> {
    const offered = this.#turn.then(() => this.#offer(order));
    this.#turn = offered.catch(() => {});
    return offered;
  }

  async #offer(order: Order): Promise<Offered> {
    const delayed = new Set<number>();
    const isSuitable = (port: number) => !delayed.has(port) && order.isSuitable(port);
    const until = performance.now() + offerWithin;
    for (let tries = 0; performance.now() < until; tries++) {
      if (tries > 0) await sleep(backoffDelay(patience, tries - 1, Math.random));
      const pool = await this.#keys.all();
      const named = namedIn(pool, order.name);
      const holders = named.filter((kept) => this.#isLocalProcess(kept)).map(({ row }) => row.owner);
      const isGone = holders.length > 0 ? await order.goneAmong(holders) : () => false;
      const choice = choose(pool, { ...order, isSuitable, isGone }, this.#here());
      if (!choice)
        throw unavailable(
          order,
          named.map(({ port }) => port),
        );
      const offers = await this.#carryOut(choice, order, pool, isGone, (port) => delayed.add(port));
      if (!offers) continue;
      await this.#pruner.granted(offers.length);
      return { offers: offers.sort((a, b) => a.lease.port - b.lease.port), homes: choice.homes };
    }
    throw new ReeveError(
      'timeout',
      `others took every port of ${order.range.first}-${order.range.last} first for ${offerWithin / 1000} s`,
    );
  }

  /** Null where another was quicker: then nothing has changed. */
  async #carryOut(
    { prolong, ports }: Choice,
    order: Order,
    pool: Pool,
    isGone: (owner: LeaseOwner) => boolean,
    delayed: (port: number) => void,
  ): Promise<Offer[] | null> {
    const offers: Offer[] = [];
    for (const kept of prolong) {
      const renewed = await this.#beats.prolong(kept, order.ttlMs);
      if (!renewed) return null;
      offers.push({ lease: this.#lease(renewed), renewed: true, home: true });
    }
    if (ports.length === 0) return offers;
    const { ttlMs, name } = order;
    const session = order.owner
      ? await this.#sessions.shared(ttlMs)
      : await this.#sessions.lasting(ttlMs, name);
    let home = Math.max(0, ...[...pool.kept.values()].map(({ row }) => row.home));
    const taken: Offer[] = [];
    for (let first = 0; first < ports.length; first += portsATime) {
      const some = ports.slice(first, first + portsATime).map((port) => {
        const before = pool.kept.get(port) ?? null;
        const isHome = before?.row.name === name;
        const row = this.#newRow(order, isHome ? before.row.home : ++home);
        const operations = this.#changes.take(
          port,
          row,
          session,
          before,
          this.#whyOver(before, name, isGone),
        );
        return { port, row, before, isHome, operations };
      });
      const outcome = await this.#keys.transact(some.flatMap(({ operations }) => operations));
      if (!outcome.done) {
        for (const key of outcome.lockDelayed) delayed(Number(key.slice(key.lastIndexOf('/') + 1)));
        await this.#takeBack(taken, new Map());
        if (!order.owner) await this.#sessions.destroy(session);
        else if (outcome.lockDelayed.length === 0) await this.#beats.lookAfter(session);
        return null;
      }
      for (const { port, row, before, isHome } of some) {
        const lease = this.#lease({ port, row });
        const offer: Offer = { lease, renewed: false, home: isHome };
        this.#before.set(offer, before);
        this.#beats.begun({ port, row, session, index: 0 }, order.owner !== null);
        taken.push(offer);
      }
    }
    return [...offers, ...taken];
  }

  async withdraw(offers: Offer[], evidence: ReadonlyMap<number, Record<string, unknown>>): Promise<void> {
    // What was only prolonged stays as it is.
    await this.#takeBack(
      offers.filter(({ renewed }) => !renewed),
      evidence,
    );
  }

  async #takeBack(offers: Offer[], evidence: ReadonlyMap<number, object>): Promise<void> {
    for (const offer of offers) {
      const why = evidence.get(offer.lease.port);
      const before = this.#before.get(offer) ?? null;
      await this.#change(offer.lease, (now) => {
        const [state, words] = why
          ? (['refused', why] as const)
          : (['released', { why: 'not needed' }] as const);
        if (!why || before?.row.endedAt === null) return this.#changes.restore(now, before, state, words);
        // A stranger has it: the name that had it before keeps it in mind, a new one does not.
        const row = this.#changes.ended(now.row, 'refused', this.#here().monotonic);
        const { name = null, home = 0 } = before?.row ?? {};
        return this.#changes.restore(
          now,
          { ...now, session: null, row: { ...row, name, home } },
          state,
          words,
        );
      });
    }
    await this.#beats.ended(offers.map(({ lease }) => lease));
  }

  async markBound(key: LeaseKey, evidence: Record<string, unknown> = {}): Promise<boolean> {
    const changed = await this.#change(key, (kept) => {
      if (kept.row.endedAt !== null) return null;
      const row: ConsulRow = { ...kept.row, state: 'bound' };
      return [...this.#changes.change(kept, row), this.#changes.entry('bound', kept.port, row, evidence)];
    });
    return changed !== null;
  }

  renew(keys: LeaseKey[]): Promise<Lease[]> {
    return this.#beats.renew(keys);
  }

  async release(keys: LeaseKey[], evidence: Record<string, unknown> = {}): Promise<Lease[]> {
    const released: Lease[] = [];
    for (const key of keys) {
      const kept = await this.#change(key, (now) =>
        now.row.endedAt === null ? this.#changes.end(now, 'released', evidence) : null,
      );
      if (kept) released.push(this.#lease({ ...kept, row: { ...kept.row, state: 'released' } }));
    }
    await this.#beats.ended(keys);
    return released;
  }

  releaseNow(keys: LeaseKey[]): void {
    this.#beats.releaseNow(keys);
  }

  async note(key: LeaseKey, kind: 'stolen' | 'moved' | 'refused', evidence: object): Promise<void> {
    const kept = await this.#keys.at(key.port);
    if (kept?.row.id !== key.id) return;
    await this.#keys.transact([this.#changes.entry(kind, kept.port, kept.row, evidence)]);
  }

  async owners(): Promise<LeaseOwner[]> {
    const { kept } = await this.#keys.all();
    return [...kept.values()].filter((each) => this.#isLocalProcess(each)).map(({ row }) => row.owner);
  }

  async end(isGone: (owner: LeaseOwner) => boolean): Promise<void> {
    const { kept } = await this.#keys.all();
    const here = this.#here();
    for (const each of kept.values()) {
      const end = each.row.endedAt === null ? endOfKept(each, here, isGone) : null;
      // Where another was quicker, it has seen to it.
      if (end !== null)
        await this.#keys.transact(this.#changes.end(each, 'expired', { why: whyEnded(each, here) }, end));
    }
  }

  async list(name?: string): Promise<Lease[]> {
    const { kept } = await this.#keys.all();
    return [...kept.values()]
      .filter(({ row }) => row.endedAt === null && (name === undefined || row.name === name))
      .sort((a, b) => a.port - b.port)
      .map((each) => this.#lease(each));
  }

  async audit({ sinceMs, name, limit = 10_000 }: AuditQuery) {
    const since = sinceMs === undefined ? Number.NEGATIVE_INFINITY : this.#here().wall - sinceMs;
    const entries = await this.#keys.audit();
    return entries
      .filter((entry) => entry.at >= since && (name === undefined || entry.name === name))
      .slice(-limit);
  }

  close(): void {
    this.#options.consul.close();
  }

  /** Of a grant, unless the port has gone to another since. Tried again where the row was changed meanwhile. */
  async #change(key: LeaseKey, work: (kept: Kept) => Operation[] | null): Promise<Kept | null> {
    let outcome: Outcome;
    for (let tries = 0; tries < 8; tries++) {
      const kept = await this.#keys.at(key.port);
      const operations = kept && kept.row.id === key.id ? work(kept) : null;
      if (!operations) return null;
      outcome = await this.#keys.transact(operations);
      if (outcome.done) return kept;
      await sleep(backoffDelay(patience, tries, Math.random));
    }
    throw new ReeveError('timeout', `the lease of port ${key.port} changes again and again`);
  }

  #newRow({ name, owner, ttlMs }: Order, home: number): ConsulRow {
    const { machine, monotonic, wall } = this.#here();
    return {
      ...{ name, home, id: randomUUID(), state: 'offered', machine, ttlMs, endedAt: null, renewals: 0 },
      owner: owner ?? { host: this.#options.host, pid: null, start: null, startedAt: null },
      ...{ renewedAt: monotonic, endsAt: monotonic + ttlMs, changedWall: wall, grantedWall: wall },
    };
  }

  /** Null where nothing is to be ended: what the same name has without a process is taken over as it is. */
  #whyOver(before: Kept | null, name: string, isGone: (owner: LeaseOwner) => boolean): string | null {
    if (!before || before.row.endedAt !== null) return null;
    const here = this.#here();
    if (before.row.owner.pid === null && before.row.name === name && before.session !== null) return null;
    return endOfKept(before, here, isGone) === null ? null : whyEnded(before, here);
  }

  #isLocalProcess({ row }: Kept): boolean {
    return row.endedAt === null && row.owner.pid !== null && row.machine === this.#options.machine;
  }

  #lease(kept: Pick<Kept, 'port' | 'row'>): Lease {
    return leaseOf(kept, this.#here());
  }

  #here(): Here {
    const { machine, clock } = this.#options;
    return { machine, monotonic: clock.monotonic(), wall: clock.wall() };
  }
}
