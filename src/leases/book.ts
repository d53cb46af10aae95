// The lease book: what it promises, whatever it is kept in.
import type { LeaseOwner, LeaseState } from '../core/lease.ts';
import type { PortRange } from '../core/range.ts';

/**
 * A port promised to a name. `id` is a new one for each grant: who has an old one can neither renew nor release
 * what another has by now.
 */
export interface Lease {
  id: string;
  name: string;
  port: number;
  owner: LeaseOwner;
  state: LeaseState;
  ttlMs: number;
  /** Wall times in milliseconds, to show a person. */
  grantedAt: number;
  expiresAt: number;
  renewals: number;
}

export interface Granted extends Lease {
  /** A lease of this name that no process keeps was still going on, and was prolonged. */
  renewed: boolean;
  /** The port that the name had before and could not have again. */
  moved: Moved | null;
}

export interface Moved {
  from: number;
  why: string;
}

export interface GrantRequest {
  name: string;
  /** `ownProcess()` or any other living process; null: no process, only `ttlMs` keeps it. */
  owner: LeaseOwner | null;
  ttlMs: number;
  /** All or none; consecutive where possible. Default 1. */
  count?: number;
  /** Default 20000-32000. */
  range?: PortRange;
  /** Fails rather than to give a name with earlier ports another one. */
  strict?: boolean;
  /** No port that browsers refuse. */
  http?: boolean;
  /** Ports never given: ports.exclude, and those that the configuration fixes. */
  exclude?: PortRange[];
}

export type AuditKind =
  | 'granted'
  | 'renewed'
  | 'bound'
  | 'moved'
  | 'released'
  | 'expired'
  | 'refused'
  | 'stolen';

export interface AuditEntry {
  /** Wall time in milliseconds. */
  at: number;
  kind: AuditKind;
  name: string;
  port: number;
  /** Of the grant that it belongs to. */
  lease: string;
  owner: LeaseOwner;
  evidence: Record<string, unknown>;
}

export interface AuditQuery {
  /** How far back, in milliseconds. Default: all that is kept. */
  sinceMs?: number;
  name?: string;
  /** The newest so many. Default 10000. */
  limit?: number;
}

/** What identifies a grant. */
export type LeaseKey = Pick<Lease, 'id' | 'port'>;

/** Each step is atomic, and safe whatever other processes do at the same time. */
export interface LeaseBook {
  /**
   * Offers ports that no living owner has, then proves each by binding it.
   * @throws ReeveError `conflict` where there is no such port, `usage` for a bad name or count.
   */
  grant(request: GrantRequest, signal: AbortSignal): Promise<Granted[]>;
  /** The owner's server has it. False where the lease is lost. */
  markBound(lease: LeaseKey, evidence?: Record<string, unknown>): Promise<boolean>;
  /** The heartbeat: prolongs by each lease's own TTL. What is not in the answer is lost. */
  renew(leases: LeaseKey[]): Promise<Lease[]>;
  /** Those that were still going on. */
  release(leases: LeaseKey[], evidence?: Record<string, unknown>): Promise<Lease[]>;
  /** Like release, done when it returns: for the exit of a process, and `using`. As far as the book can. */
  releaseNow(leases: LeaseKey[], evidence: Record<string, unknown>): void;
  /** Writes down what happened to a port: `stolen` when somebody else bound it. */
  note(
    lease: LeaseKey,
    kind: 'stolen' | 'moved' | 'refused',
    evidence: Record<string, unknown>,
  ): Promise<void>;
  /** Leases that go on; those of owners that are gone are ended first. */
  list(name?: string): Promise<Lease[]>;
  /** Oldest first. */
  audit(query?: AuditQuery): Promise<AuditEntry[]>;
  close(): void;
}
