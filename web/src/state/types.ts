// The daemon's own shapes, as the dashboard reads them.
export type {
  FreeResult,
  LeaseAuditRecord,
  LeaseRecord,
  SocketRecord,
  WhoRecord,
  WhyRecord,
} from '../../../src/core/records.ts';
export type { RecordedEvent } from '../../../src/daemon/events.ts';
export type {
  BindStatus,
  CheckStatus,
  DaemonStatus,
  InstanceStatus,
  ListenerStatus,
  RegistrySummary,
  ServiceStatus,
  SinkStatus,
  TargetStatus,
} from '../../../src/daemon/status.ts';
export type Sample = Record<string, (number | null)[]>;
