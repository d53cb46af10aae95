// The ledger in Consul: one pool for all machines that share a prefix. Every change is a transaction that fails where another was quicker.
import type { Clock } from '../../core/context.ts';
import type { LeaseOwner } from '../../core/lease.ts';
import type { Consul } from '../../store/index.ts';
import type { AuditQuery, Lease, LeaseKey } from '../book.ts';
import type { Ledger, Offer, Offered, Order } from '../ledger.ts';
import { AuditPruner } from './audit-pruner.ts';
import { Changes } from './changes.ts';
import { Heartbeats } from './heartbeats.ts';
import { Keys } from './keys.ts';
import { Offers } from './offers.ts';
import { type ConsulRow, endOfKept, type Here, isProcessOf, type Kept, leaseOf, whyEnded } from './rows.ts';
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

export class ConsulLedger implements Ledger {
  readonly #options: ConsulLedgerOptions;
  readonly #keys: Keys;
  readonly #changes: Changes;
  readonly #beats: Heartbeats;
  readonly #offers: Offers;

  constructor(options: ConsulLedgerOptions) {
    const { consul, prefix, clock, host, lockDelayMs = 15_000 } = options;
    const here = () => this.#here();
    const sessions = new Sessions(consul, lockDelayMs);
    this.#options = options;
    this.#keys = new Keys(consul, prefix);
    this.#changes = new Changes(this.#keys, here);
    const parts = { keys: this.#keys, sessions, changes: this.#changes, here };
    this.#beats = new Heartbeats({ ...parts, consul });
    this.#offers = new Offers({
      ...parts,
      beats: this.#beats,
      pruner: new AuditPruner(this.#keys, clock),
      host,
    });
  }

  offer(order: Order, signal: AbortSignal): Promise<Offered> {
    return this.#offers.make(order, signal);
  }

  withdraw(offers: Offer[], evidence: ReadonlyMap<number, Record<string, unknown>>): Promise<void> {
    return this.#offers.withdraw(offers, evidence);
  }

  async markBound(key: LeaseKey, evidence: Record<string, unknown> = {}): Promise<boolean> {
    const changed = await this.#changes.alter(key, (kept) => {
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
      const kept = await this.#changes.alter(key, (now) =>
        now.row.endedAt === null ? this.#changes.end(now, 'released', evidence) : null,
      );
      if (kept) released.push(this.#lease({ ...kept, row: { ...kept.row, state: 'released' } }));
    }
    await this.#beats.ended(keys);
    return released;
  }

  releaseNow(keys: LeaseKey[], evidence: Record<string, unknown>): void {
    this.#beats.releaseNow(keys, evidence);
  }

  async note(key: LeaseKey, kind: 'stolen' | 'moved' | 'refused', evidence: object): Promise<void> {
    const kept = await this.#keys.at(key.port);
    if (kept?.row.id !== key.id) return;
    await this.#keys.transact([this.#changes.entry(kind, kept.port, kept.row, evidence)]);
  }

  async owners(): Promise<LeaseOwner[]> {
    const { kept } = await this.#keys.all();
    const here = this.#here();
    return [...kept.values()].filter((each) => isProcessOf(each, here)).map(({ row }) => row.owner);
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

  #lease(kept: Pick<Kept, 'port' | 'row'>): Lease {
    return leaseOf(kept, this.#here());
  }

  #here(): Here {
    const { machine, clock } = this.#options;
    return { machine, monotonic: clock.monotonic(), wall: clock.wall() };
  }
}
