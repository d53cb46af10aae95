// Door of leases/: the lease book, and holding a lease for as long as a process lives.
export type { AuditEntry, AuditKind, Granted, GrantRequest, Lease, LeaseBook, Moved } from './book.ts';
export type { ConsulBookSettings } from './consul/open.ts';
export { type HeldLease, holdLease } from './hold.ts';
export { projectName } from './name.ts';
export { type BookOptions, openLeaseBook } from './open.ts';
export { type LeaseOptions, readLeaseOptions } from './options.ts';
export { ownProcess } from './owner.ts';
export { auditRecord, leaseRecord } from './record.ts';
