// What the daemon tells about itself: the shapes of the API, the status page and, as numbers, the metrics.
import type { HealthVerdict } from '../core/verdict.ts';
import type { HandlerCounters } from '../listen/index.ts';
import type { RegistryStatus } from '../registry/index.ts';
import type { EndReason } from '../relay/index.ts';
import type { SinkCounters } from '../sinks/index.ts';

export type DaemonState = 'starting' | 'ready' | 'draining' | 'stopped';

export interface DaemonStatus {
  version: string;
  pid: number;
  state: DaemonState;
  startedAt: string;
  configFile: string;
  /** `host:port` of the control API. */
  control: string;
  listeners: ListenerStatus[];
  services: ServiceStatus[];
  checks: CheckStatus[];
  sinks: SinkStatus[];
  registry: RegistrySummary;
  /** Checks, services, instances and targets whose actions are held by order; `until` is ISO 8601. */
  maintenance: { subject: string; until: string }[];
  /** `reached`: null while nobody had to ask it. */
  gateway: { url: string; reached: boolean | null } | null;
}

/** Where services are announced and found. */
export interface RegistrySummary extends Omit<RegistryStatus, 'since'> {
  /** ISO 8601: of the last change of its state. */
  since: string;
}

export interface ListenerStatus {
  name: string;
  engine: string;
  /** Why it is this one, in a line. */
  engineReason: string;
  /** `service/NAME`, `targets`, `sink/NAME` or `handler/FILE`. */
  serves: string;
  binds: BindStatus[];
  connections: { active: number; total: number };
  bytes: { received: number; sent: number };
  refused: Record<string, number>;
  ended: Partial<Record<EndReason, number>>;
  latency: LatencyStatus;
  /** Too few targets are fit, so that all are used. */
  panic: boolean;
  /** Connections that wait for a place at a target. */
  waiting: number;
  targets: TargetStatus[];
  /** Of the threads that serve now; null for one without a handler. */
  handler: HandlerCounters | null;
  /** What it shows to clients; none where it does not end TLS. */
  certificates: CertificateStatus[];
}

export interface CertificateStatus {
  /** The server name that it is for; null for the one that everybody else gets. */
  serverName: string | null;
  file: string;
  subject: string;
  issuer: string;
  /** `DNS:a.example.com`, `IP Address:127.0.0.1`. */
  names: string[];
  /** ISO 8601. */
  expiresAt: string;
  /** Seconds; negative once it has expired. */
  expiresIn: number;
}

/** Milliseconds, over the connections that ended in the last minute; null where there were none. */
export interface LatencyStatus {
  /** How long targets took to accept. */
  connect: Quantiles;
  /** How long connections lasted. */
  duration: Quantiles;
}

export interface Quantiles {
  p50: number | null;
  p99: number | null;
}

export interface BindStatus {
  /** What the configuration asks for, and what was bound: they differ after `next` and for port 0. */
  asked: string;
  address: string;
  listening: boolean;
  /** Whether its own test connection arrived; null where that was not tried. */
  verified: boolean | null;
}

export interface TargetStatus {
  /** `host:port`. */
  id: string;
  /** The instance behind it (`user-api/0`); null for a fixed target. */
  instance: string | null;
  verdict: HealthVerdict;
  draining: boolean;
  weight: number;
  /** Less than the weight while it starts slowly. */
  effectiveWeight: number;
  backup: boolean;
  /** Connections that it may have at once; null: any number. */
  max: number | null;
  /** ISO 8601; null where it is not ejected. */
  ejectedUntil: string | null;
  /** Lately: the next one lasts longer by as many. */
  ejections: number;
  connections: { active: number; total: number };
  failures: number;
}

export interface ServiceStatus {
  name: string;
  /** Instances that the configuration asks for; `reeve scale` may have made it others. */
  configured: number;
  /** Since the daemon started, by reason. */
  restarts: Record<string, number>;
  instances: InstanceStatus[];
}

export interface InstanceStatus {
  id: string;
  state: string;
  pid: number | null;
  ports: Record<string, number>;
  restarts: number;
  /** ISO 8601; null while no process runs. */
  startedAt: string | null;
  /** ISO 8601; null where none is planned. */
  nextStartAt: string | null;
  /** Why it is in this state, where that is not plain. */
  detail: string | null;
  /** The last 20 times that it was started again, oldest first; `at` is ISO 8601. */
  history: { at: string; reason: string; detail: string }[];
}

export interface CheckStatus {
  name: string;
  url: string;
  verdict: HealthVerdict;
  /** Up, and to be looked at: `reason` says why. */
  degraded: boolean;
  /** It changes too often: actions are held. */
  flapping: boolean;
  /** Why an action that was due is held; null where none is. */
  held: 'maintenance' | 'flapping' | 'dependency' | null;
  /** Of the last probe. */
  ms: number | null;
  reason: string | null;
  detail: string | null;
  checkedAt: string | null;
  /** ISO 8601: when the verdict became what it is. */
  since: string;
  /** ISO 8601; null while a probe is under way. */
  nextAt: string | null;
  /** How many results in a row have disagreed with the verdict. */
  streak: number;
  fall: number;
  rise: number;
  /** Milliseconds. */
  timeout: number;
  interval: number;
}

export interface SinkStatus extends SinkCounters {
  name: string;
  kind: string;
  /** Why nothing can be written now; null while all is well. */
  failure: string | null;
  /** What else should be known of it, such as that records go to the spool. */
  note: string | null;
}
