// The daemon's own shapes, as the dashboard reads them: fields of newer daemons may be there, of older ones missing.
import type * as daemon from '../../../src/daemon/status.ts';

export type {
  FreeResult,
  LeaseAuditRecord,
  LeaseRecord,
  SocketRecord,
  WhoRecord,
  WhyRecord,
} from '../../../src/core/records.ts';
export type { RecordedEvent } from '../../../src/daemon/events.ts';
export type { BindStatus, CheckStatus, InstanceStatus, SinkStatus } from '../../../src/daemon/status.ts';

/** What balancing tells of a target beyond the first release's fields. */
export interface TargetExtras {
  ejected?: boolean | object | null;
  ejectedUntil?: string | null;
  ejections?: number;
  maintenance?: boolean;
  panic?: boolean;
  effectiveWeight?: number;
}
export type TargetStatus = daemon.TargetStatus & TargetExtras;
export type ListenerStatus = Omit<daemon.ListenerStatus, 'targets'> & {
  targets: TargetStatus[];
  panic?: boolean;
};
export type ServiceStatus = daemon.ServiceStatus;
export type DaemonStatus = Omit<daemon.DaemonStatus, 'listeners'> & {
  listeners: ListenerStatus[];
};
export type Sample = Record<string, (number | null)[]>;
