// What a lease book is kept in: the steps that must be atomic, and nothing of binds. SQLite here, Consul elsewhere.
import type { LeaseOwner } from '../core/lease.ts';
import type { PortRange } from '../core/range.ts';
import type { AuditEntry, AuditQuery, Lease, LeaseBook } from './book.ts';

/** A request with everything answered that is outside the ledger. */
export interface Order {
  name: string;
  owner: LeaseOwner | null;
  ttlMs: number;
  count: number;
  strict: boolean;
  range: PortRange;
  quarantineMs: number;
  /** Whether the port may be leased at all, and has not failed in this grant already. */
  isSuitable(port: number): boolean;
  /** Looks which of them are gone. */
  goneAmong(owners: LeaseOwner[]): Promise<(owner: LeaseOwner) => boolean>;
}

export interface Offer {
  lease: Lease;
  /** Going on already, and prolonged: its server may run, so it is not to be proved by a bind. */
  renewed: boolean;
  /** The name had this port before. */
  home: boolean;
}

export interface Offered {
  offers: Offer[];
  /** All ports that the name had, the first that it had first. */
  homes: number[];
}

export interface Ledger
  extends Pick<LeaseBook, 'markBound' | 'renew' | 'release' | 'releaseNow' | 'note' | 'close'> {
  /** @throws ReeveError `conflict` where there are no `count` ports. All are exclusive when it resolves. */
  offer(order: Order, signal: AbortSignal): Promise<Offered>;
  /**
   * Takes offers back. Those in `evidence` (by port) turned out to be unusable and rest for the quarantine; for
   * the others it is as if they had never been made.
   */
  withdraw(offers: Offer[], evidence: ReadonlyMap<number, Record<string, unknown>>): Promise<void>;
  /** Processes that leases which go on belong to. */
  owners(): Promise<LeaseOwner[]>;
  /** Ends what has expired, and what belongs to owners that are gone. */
  end(isGone: (owner: LeaseOwner) => boolean): Promise<void>;
  list(name?: string): Promise<Lease[]>;
  audit(query: AuditQuery): Promise<AuditEntry[]>;
}
