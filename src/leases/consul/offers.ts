// Offers out of the pool in Consul: read, chosen, taken in transactions that fail where another was quicker, and taken back.
import { randomUUID } from 'node:crypto';
import { backoffDelay } from '../../core/backoff.ts';
import { ReeveError } from '../../core/errors.ts';
import type { LeaseOwner } from '../../core/lease.ts';
import { abortError, sleep } from '../../core/time.ts';
import type { Lease } from '../book.ts';
import type { Offer, Offered, Order } from '../ledger.ts';
import { unavailable } from '../unavailable.ts';
import type { AuditPruner } from './audit-pruner.ts';
import { type Changes, patience } from './changes.ts';
import { type Choice, choose, namedIn, type Pool } from './choice.ts';
import type { Heartbeats } from './heartbeats.ts';
import { type Keys, mostOperations } from './keys.ts';
import { type ConsulRow, endOfKept, type Here, isProcessOf, type Kept, leaseOf, whyEnded } from './rows.ts';
import type { Sessions } from './sessions.ts';

export interface OfferParts {
  keys: Keys;
  sessions: Sessions;
  changes: Changes;
  beats: Heartbeats;
  pruner: AuditPruner;
  /** This machine's name, for leases without a process. */
  host: string;
  here: () => Here;
}

/** Milliseconds that an offer goes on while others are quicker. */
const offerWithin = 15_000;
/** An offer of one port is at most six operations. */
const portsATime = Math.floor(mostOperations / 6);

export class Offers {
  readonly #parts: OfferParts;
  /** What was there before this process's offers, which may be withdrawn. */
  readonly #before = new WeakMap<Offer, Kept | null>();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(parts: OfferParts) {
    this.#parts = parts;
  }

  /** One after another within a process: those of others are met often enough. */
  make(order: Order, signal: AbortSignal): Promise<Offered> {
    const offered = this.#turn.then(() => this.#make(order, signal));
    this.#turn = offered.catch(() => {});
    return offered;
  }

  async #make(order: Order, signal: AbortSignal): Promise<Offered> {
    const { keys, pruner, here } = this.#parts;
    const delayed = new Set<number>();
    const isSuitable = (port: number) => !delayed.has(port) && order.isSuitable(port);
    const until = performance.now() + offerWithin;
    for (let tries = 0; performance.now() < until; tries++) {
      if (tries > 0) await sleep(backoffDelay(patience, tries - 1, Math.random), signal);
      if (signal.aborted) throw abortError(signal);
      const pool = await keys.all();
      const named = namedIn(pool, order.name);
      const holders = named.filter((kept) => isProcessOf(kept, here())).map(({ row }) => row.owner);
      const isGone = holders.length > 0 ? await order.goneAmong(holders) : () => false;
      const choice = choose(pool, { ...order, isSuitable, isGone }, here());
      if (!choice)
        throw unavailable(
          order,
          named.map(({ port }) => port),
        );
      const offers = await this.#carryOut(choice, order, pool, isGone, (port) => delayed.add(port));
      if (!offers) continue;
      await pruner.granted(offers.length);
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
    const { keys, sessions, changes, beats } = this.#parts;
    const offers: Offer[] = [];
    for (const kept of prolong) {
      const renewed = await beats.prolong(kept, order.ttlMs);
      if (!renewed) return null;
      offers.push({ lease: this.#lease(renewed), renewed: true, home: true });
    }
    if (ports.length === 0) return offers;
    const { ttlMs, name } = order;
    const session = order.owner ? await sessions.shared(ttlMs) : await sessions.lasting(ttlMs, name);
    let home = Math.max(0, ...[...pool.kept.values()].map(({ row }) => row.home));
    const taken: Offer[] = [];
    for (let first = 0; first < ports.length; first += portsATime) {
      const some = ports.slice(first, first + portsATime).map((port) => {
        const before = pool.kept.get(port) ?? null;
        const isHome = before?.row.name === name;
        const row = this.#newRow(order, isHome ? before.row.home : ++home);
        const operations = changes.take(port, row, session, before, this.#whyOver(before, name, isGone));
        return { port, row, before, isHome, operations };
      });
      const outcome = await keys.transact(some.flatMap(({ operations }) => operations));
      if (!outcome.done) {
        for (const key of outcome.lockDelayed) delayed(Number(key.slice(key.lastIndexOf('/') + 1)));
        await this.#takeBack(taken, new Map());
        if (!order.owner) await sessions.destroy(session);
        else if (outcome.lockDelayed.length === 0) await beats.lookAfter(session);
        return null;
      }
      for (const { port, row, before, isHome } of some) {
        const lease = this.#lease({ port, row });
        const offer: Offer = { lease, renewed: false, home: isHome };
        this.#before.set(offer, before);
        beats.begun({ port, row, session, index: 0 }, order.owner !== null);
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
    const { changes, beats, here } = this.#parts;
    for (const offer of offers) {
      const why = evidence.get(offer.lease.port);
      const before = this.#before.get(offer) ?? null;
      await changes.alter(offer.lease, (now) => {
        const [state, words] = why
          ? (['refused', why] as const)
          : (['released', { why: 'not needed' }] as const);
        if (!why || before?.row.endedAt === null) return changes.restore(now, before, state, words);
        // A stranger has it: the name that had it before keeps it in mind, a new one does not.
        const row = changes.ended(now.row, 'refused', here().monotonic);
        const { name = null, home = 0 } = before?.row ?? {};
        return changes.restore(now, { ...now, session: null, row: { ...row, name, home } }, state, words);
      });
    }
    await beats.ended(offers.map(({ lease }) => lease));
  }

  #newRow({ name, owner, ttlMs }: Order, home: number): ConsulRow {
    const { machine, monotonic, wall } = this.#parts.here();
    return {
      ...{ name, home, id: randomUUID(), state: 'offered', machine, ttlMs, endedAt: null, renewals: 0 },
      owner: owner ?? { host: this.#parts.host, pid: null, start: null, startedAt: null },
      ...{ renewedAt: monotonic, endsAt: monotonic + ttlMs, changedWall: wall, grantedWall: wall },
    };
  }

  /** Null where nothing is to be ended: what the same name has without a process is taken over as it is. */
  #whyOver(before: Kept | null, name: string, isGone: (owner: LeaseOwner) => boolean): string | null {
    if (!before || before.row.endedAt !== null) return null;
    const here = this.#parts.here();
    if (before.row.owner.pid === null && before.row.name === name && before.session !== null) return null;
    return endOfKept(before, here, isGone) === null ? null : whyEnded(before, here);
  }

  #lease(kept: Pick<Kept, 'port' | 'row'>): Lease {
    return leaseOf(kept, this.#parts.here());
  }
}
