// Each change of a lease as one transaction: the row, its lock, and what the audit says of it.
import { randomBytes } from 'node:crypto';
import { backoffDelay } from '../../core/backoff.ts';
import { ReeveError } from '../../core/errors.ts';
import { sleep } from '../../core/time.ts';
import type { AuditEntry, AuditKind, LeaseKey } from '../book.ts';
import { heldBy, type Keys, lock, type Operation, remove, unchanged, unlock, write } from './keys.ts';
import type { ConsulRow, Here, Kept } from './rows.ts';

/** Milliseconds between two tries where another was quicker. */
export const patience = { min: 5, max: 250 };

export type Ending = 'released' | 'expired' | 'refused';

/** In hexadecimal, so that texts sort as numbers do. */
const width = 14;
const padded = (value: number) => Math.max(0, Math.trunc(value)).toString(16).padStart(width, '0');

export class Changes {
  readonly #keys: Keys;
  readonly #here: () => Here;
  readonly #unique = randomBytes(6).toString('hex');
  #count = 0;

  constructor(keys: Keys, here: () => Here) {
    this.#keys = keys;
    this.#here = here;
  }

  /** `before` is the port's row as it was read; what has run out there is ended first. */
  take(
    port: number,
    row: ConsulRow,
    session: string,
    before: Kept | null,
    ended: string | null,
  ): Operation[] {
    const key = this.#keys.port(port);
    const isGoing = before?.row.endedAt === null;
    const evidence = { ttlMs: row.ttlMs, ...(isGoing && ended === null ? { tookOver: before.row.id } : {}) };
    return [
      unchanged(key, before),
      ...(before?.session ? [unlock(key, before.session, before.row)] : []),
      lock(key, session, row),
      ...(before && ended !== null ? this.#endEntries(before, 'expired', { why: ended }) : []),
      this.entry('granted', port, row, evidence),
    ];
  }

  end(kept: Kept, state: Ending, evidence: object, endedAt = this.#here().monotonic): Operation[] {
    const key = this.#keys.port(kept.port);
    const row = this.ended(kept.row, state, endedAt);
    return [
      unchanged(key, kept),
      kept.session ? unlock(key, kept.session, row) : write(key, row),
      ...this.#endEntries(kept, state, evidence),
    ];
  }

  /** For the last moment of a process, when nothing can be read any more: only while the lock is still its own. */
  endBlindly(kept: Kept, evidence: object): Operation[] {
    if (!kept.session) return [];
    const key = this.#keys.port(kept.port);
    return [
      heldBy(key, kept.session),
      unlock(key, kept.session, this.ended(kept.row, 'released', this.#here().monotonic)),
      ...this.#endEntries(kept, 'released', evidence),
    ];
  }

  /** Puts back what was there before an offer that is taken back; `then` is that, null: nothing. */
  restore(now: Kept, then: Kept | null, state: Ending, evidence: object): Operation[] {
    const key = this.#keys.port(now.port);
    const entries = [this.entry(state, now.port, now.row, evidence)];
    if (!then) return [unchanged(key, now), remove(key), ...entries];
    return [
      unchanged(key, now),
      now.session ? unlock(key, now.session, then.row) : write(key, then.row),
      ...(then.session && then.row.endedAt === null ? [lock(key, then.session, then.row)] : []),
      ...entries,
    ];
  }

  /** The same lease with another row; with a session where its lock was lost. */
  change(kept: Kept, row: ConsulRow, session: string | null = null): Operation[] {
    const key = this.#keys.port(kept.port);
    return [unchanged(key, kept), session ? lock(key, session, row) : write(key, row)];
  }

  entry(kind: AuditKind, port: number, row: ConsulRow, evidence: object): Operation {
    const { wall } = this.#here();
    const value: AuditEntry = {
      ...{ at: wall, kind, name: row.name ?? '', port, lease: row.id, owner: row.owner },
      evidence: evidence as Record<string, unknown>,
    };
    this.#count += 1;
    return write(this.#keys.auditKey(`${padded(wall)}-${padded(this.#count)}-${this.#unique}`), value);
  }

  ended(row: ConsulRow, state: Ending, endedAt: number): ConsulRow {
    return { ...row, state, endedAt, changedWall: this.#here().wall };
  }

  /** Of a grant, unless the port has gone to another since. Tried again where the row was changed meanwhile. */
  async alter(key: LeaseKey, work: (kept: Kept) => Operation[] | null): Promise<Kept | null> {
    for (let tries = 0; tries < 8; tries++) {
      const kept = await this.#keys.at(key.port);
      const operations = kept && kept.row.id === key.id ? work(kept) : null;
      if (!operations) return null;
      if ((await this.#keys.transact(operations)).done) return kept;
      await sleep(backoffDelay(patience, tries, Math.random));
    }
    throw new ReeveError('timeout', `the lease of port ${key.port} changes again and again`);
  }

  #endEntries({ port, row }: Kept, kind: AuditKind, evidence: object): Operation[] {
    const renewed = row.renewals > 0 ? [this.entry('renewed', port, row, { times: row.renewals })] : [];
    return [...renewed, this.entry(kind, port, row, evidence)];
  }
}
