// The heartbeats of leases in Consul: sessions renewed, rows brought up to date, and giving up in time where Consul is away.
import { errorMessage } from '../../core/errors.ts';
import type { Consul } from '../../store/index.ts';
import type { Lease, LeaseKey } from '../book.ts';
import type { Changes } from './changes.ts';
import { type Keys, mostOperations } from './keys.ts';
import { type Here, type Kept, leaseOf } from './rows.ts';
import type { Sessions } from './sessions.ts';

export interface HeartbeatParts {
  consul: Consul;
  keys: Keys;
  sessions: Sessions;
  changes: Changes;
  here: () => Here;
}

interface Own {
  kept: Kept;
  /** When the last heartbeat that arrived was sent. */
  beatAt: number;
  /** Its session is that of this process, and shared. */
  isShared: boolean;
}

export class Heartbeats {
  readonly #parts: HeartbeatParts;
  /** Of this book, by the grant's id. */
  readonly #own = new Map<string, Own>();

  constructor(parts: HeartbeatParts) {
    this.#parts = parts;
  }

  begun(kept: Kept, isShared: boolean): void {
    this.#own.set(kept.row.id, { kept, beatAt: kept.row.renewedAt, isShared });
  }

  /** A session that keeps nothing any more is not left to run out. */
  async ended(keys: LeaseKey[]): Promise<void> {
    const sessions = new Set<string>();
    for (const { id } of keys) {
      const session = this.#own.get(id)?.kept.session;
      if (session) sessions.add(session);
      this.#own.delete(id);
    }
    for (const { kept } of this.#own.values()) if (kept.session) sessions.delete(kept.session);
    for (const session of sessions) await this.#parts.sessions.destroy(session);
  }

  /** A shared session that Consul may have ended is not used again. */
  async lookAfter(session: string): Promise<void> {
    await this.#parts.sessions.renew(session);
  }

  /** Asked for again, without a process. Null where it was lost meanwhile. */
  async prolong(kept: Kept, ttlMs: number): Promise<Kept | null> {
    if (!kept.session || !(await this.#parts.sessions.renew(kept.session))) return null;
    return this.#write(kept, ttlMs, null);
  }

  /** What is not in the answer is lost, or can be lost before the next heartbeat. */
  async renew(keys: LeaseKey[]): Promise<Lease[]> {
    const sent = this.#parts.here().monotonic;
    try {
      const renewed = await this.#renewAll(keys);
      for (const kept of renewed) {
        const own = this.#own.get(kept.row.id);
        if (own) Object.assign(own, { kept, beatAt: sent });
      }
      const ids = new Set(renewed.map(({ row }) => row.id));
      await this.ended(keys.filter(({ id }) => this.#own.has(id) && !ids.has(id)));
      return renewed.map((kept) => leaseOf(kept, this.#parts.here()));
    } catch (error) {
      const now = this.#parts.here();
      const held = keys.flatMap(({ id }) => this.#own.get(id) ?? []);
      // Another may soon have it: its session outlives it by half, and the lock delay comes on top.
      const kept = held.filter(({ kept: { row }, beatAt }) => now.monotonic < beatAt + row.ttlMs);
      if (kept.length === keys.length) throw error;
      for (const { id } of keys) if (!kept.some((each) => each.kept.row.id === id)) this.#own.delete(id);
      return kept.map((each) => leaseOf(each.kept, now));
    }
  }

  async #renewAll(keys: LeaseKey[]): Promise<Kept[]> {
    const { sessions } = this.#parts;
    const owned = keys.flatMap(({ id }) => this.#own.get(id)?.kept.session ?? []);
    const renewed = new Set(owned);
    for (const session of renewed) await sessions.renew(session);
    const rows = await Promise.all(keys.map((key) => this.#mine(key)));
    const found = rows.filter((kept) => kept !== null);
    // By a book that has not granted them.
    for (const { session } of found)
      if (session && !renewed.has(session)) {
        renewed.add(session);
        await sessions.renew(session);
      }
    const written = await Promise.all(found.map((kept) => this.#goOn(kept)));
    return written.filter((kept) => kept !== null);
  }

  async #mine({ id, port }: LeaseKey): Promise<Kept | null> {
    const kept = await this.#parts.keys.at(port);
    return kept?.row.id === id ? kept : null;
  }

  /** One that has expired, and that nobody else has by now, goes on. */
  async #goOn(kept: Kept): Promise<Kept | null> {
    const { row } = kept;
    if (row.endedAt !== null && row.state !== 'expired') return null;
    if (kept.session) return this.#write(kept, row.ttlMs, null);
    const session = await (row.owner.pid === null
      ? this.#parts.sessions.lasting(row.ttlMs, row.name ?? '')
      : this.#parts.sessions.shared(row.ttlMs));
    return this.#write(kept, row.ttlMs, session);
  }

  async #write(kept: Kept, ttlMs: number, session: string | null): Promise<Kept | null> {
    const { keys, changes, here } = this.#parts;
    const { monotonic, wall, machine } = here();
    const row: Kept['row'] = {
      ...kept.row,
      ...{
        ttlMs,
        machine,
        renewedAt: monotonic,
        endsAt: monotonic + ttlMs,
        changedWall: wall,
        endedAt: null,
      },
      ...{
        renewals: kept.row.renewals + 1,
        state: kept.row.state === 'expired' ? 'offered' : kept.row.state,
      },
    };
    const { done } = await keys.transact(changes.change(kept, row, session));
    return done ? { ...kept, row, session: session ?? kept.session } : null;
  }

  /** In a process of its own, since this one waits for nothing any more. What fails is left to the session's end. */
  releaseNow(leases: LeaseKey[], evidence: Record<string, unknown>): void {
    const { consul, changes } = this.#parts;
    const operations = leases.flatMap(({ id }) => {
      const own = this.#own.get(id);
      this.#own.delete(id);
      return own ? [changes.endBlindly(own.kept, evidence)] : [];
    });
    const each = 4;
    const batches = [];
    for (let first = 0; first < operations.length; first += Math.floor(mostOperations / each))
      batches.push(operations.slice(first, first + Math.floor(mostOperations / each)).flat());
    try {
      consul.askNow(batches.map((body) => ({ path: '/v1/txn', method: 'PUT', body })));
    } catch (error) {
      process.emitWarning(`leases in Consul were not given back: ${errorMessage(error)}`);
    }
  }
}
