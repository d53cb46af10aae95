// What is known after a bind was tried: the input of the rules that explain it.
import type { BindAddress } from '../address.ts';
import type { Protocol } from '../endpoint.ts';
import type { PortRange } from '../range.ts';
import type { CauseRecord, HolderRecord } from '../records.ts';

export type CauseId =
  | 'held'
  | 'held-hidden'
  | 'wildcard-overlap'
  | 'dual-stack-overlap'
  | 'time-wait'
  | 'connected-source-port'
  | 'bound-not-listening'
  | 'reuse-mismatch'
  | 'privileged'
  | 'excluded-range'
  | 'reserved-sysctl'
  | 'http-sys'
  | 'exclusive-owner'
  | 'no-such-address'
  | 'family-unavailable'
  | 'invalid-argument'
  | 'no-descriptors'
  | 'sandbox-denied'
  | 'ephemeral-range'
  | 'firewall';

export interface Cause extends CauseRecord {
  id: CauseId;
}

/** A socket on the same port and protocol. */
export interface RivalSocket {
  /** Null v6only: the table does not tell. */
  bind: Omit<BindAddress, 'v6only'> & { v6only: boolean | null };
  state: string;
  peer: string | null;
  holders: HolderRecord[];
  /** Why holders are missing, where they are. */
  hidden: { reason: string; needs: string | null } | null;
  /** What http.sys serves on it (Windows). */
  urls: string[];
}

export interface BindFailureFact {
  code: string;
  syscall: string;
}

/** Settings of the machine that matter to a bind. */
export interface BindHost {
  user: { name: string; elevated: boolean };
  ephemeral: PortRange | null;
  reserved: PortRange[];
  excluded: (PortRange & { protocol?: Protocol })[];
  unprivilegedFrom: number;
  mayBindPrivileged: boolean;
  ipv6: { available: boolean; reason: string | null };
  descriptors: { open: number | null; soft: number | null; hard: number | null };
  addresses: { address: string; interface: string }[];
}

export interface BindFacts {
  /** As Node names it: what an error code means, and what helps, differs. */
  platform: string;
  protocol: Protocol;
  bind: BindAddress;
  port: number;
  /** Whether SO_REUSEADDR was set in the attempt. */
  reuse: boolean;
  /** Null: it worked. */
  failure: BindFailureFact | null;
  /** The same without SO_REUSEADDR, tried where the attempt with it worked; undefined where it was not tried. */
  failureWithoutReuse?: BindFailureFact | null;
  rivals: RivalSocket[];
  /** Null where the system has no socket table to read. */
  table: { source: string; blindSpots: string[] } | null;
  host: BindHost;
  /** Whether other machines may reach it, where the system tells. */
  firewall?: { verdict: 'allowed' | 'blocked' | 'missing' | 'off'; command: string | null } | null;
}
