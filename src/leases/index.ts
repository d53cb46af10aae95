// Door of leases/: the lease book, and holding a lease for as long as a process lives.
export type {
  AuditEntry,
  AuditKind,
  AuditQuery,
  Granted,
  GrantRequest,
  Lease,
  LeaseBook,
  LeaseKey,
  Moved,
} from './book.ts';
export type { ConsulBookSettings } from './consul/open.ts';
export { type HeldLease, type HoldOptions, type HoldRequest, holdLease } from './hold.ts';
export { assertLeaseName, projectName } from './name.ts';
export { type BookOptions, openLeaseBook } from './open.ts';
export { ownerOfProcess, ownProcess } from './owner.ts';
export { findHolder } from './prove.ts';
export { auditRecord, leaseRecord } from './record.ts';
