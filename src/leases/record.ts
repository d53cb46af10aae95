// Leases and their audit as the JSON that reeve prints.
import type { LeaseOwner } from '../core/lease.ts';
import type { LeaseAuditRecord, LeaseRecord } from '../core/records.ts';
import type { AuditEntry, Lease } from './book.ts';

export function leaseRecord(leases: readonly Lease[]): LeaseRecord {
  return {
    leases: leases.map(({ name, port, owner, grantedAt, expiresAt, state }) => ({
      ...{ name, port, protocol: 'tcp', owner: ownerRecord(owner) },
      ...{ grantedAt: iso(grantedAt), expiresAt: iso(expiresAt), state },
    })),
  };
}

export function auditRecord(entries: readonly AuditEntry[]): LeaseAuditRecord {
  return {
    entries: entries.map(({ at, kind, name, port, owner, evidence }) => ({
      ...{ at: iso(at), kind, name, port, owner: ownerRecord(owner), evidence },
    })),
  };
}

function ownerRecord({ host, pid, startedAt }: LeaseOwner) {
  return { host, pid, startedAt: startedAt === null ? null : iso(startedAt) };
}

const iso = (ms: number) => new Date(ms).toISOString();
