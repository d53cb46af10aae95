// The data plane's interface: an engine moves bytes and reports; every decision comes from shared, pure code.
import type { ListenerConfig } from '../config/index.ts';
import type { Target, TargetCounters } from '../core/balance/target.ts';
import type {
  AnyBinding,
  Credentials,
  HandlerFailure,
  HandlerPool,
  RefusalReason,
  TargetTls,
} from '../listen/index.ts';
import type { Sink } from '../sinks/index.ts';

export type { Target, TargetCounters };

/** Why a connection ended, or was never relayed. One per connection; a closed list, so that metrics stay bounded. */
export type EndReason =
  | 'done'
  | 'client-reset'
  | 'target-reset'
  | 'idle'
  | 'no-target'
  | 'connect-failed'
  | 'retry-budget'
  | 'queue-full'
  | 'queue-timeout'
  | 'target-down'
  | 'silent'
  | 'frame-too-large'
  | 'frame-incomplete'
  | 'sink-failed'
  | HandlerFailure
  | 'drained'
  | 'error';

/** Why a datagram went no further. A closed list, so that metrics stay bounded; refusals are counted apart. */
export const datagramDrops = [
  'no-target',
  'target-full',
  'target-failed',
  'client-unreachable',
  'backlog',
  'too-large',
  'sink-failed',
] as const;
export type DatagramDrop = (typeof datagramDrops)[number];

export interface ConnectionEnd {
  client: string;
  target: string | null;
  reason: EndReason;
  /** From and to the client. */
  received: number;
  sent: number;
  /** How long it lasted, and how long until a target answered (null without one). Milliseconds. */
  ms: number;
  connectMs: number | null;
  /** Targets that did not take the connection before one did. */
  retries: number;
  detail: string | null;
}

/** What an engine tells as it happens. Called on the hot path: cheap, and never throws. */
export interface EngineReports {
  /** False: nobody wants to know whose connections they were, so an engine may leave that out where it costs. */
  readonly named?: boolean;
  opened(listener: string, client: string): void;
  /** `why`, for people, where the reason alone does not say. */
  refused(listener: string, client: string, reason: RefusalReason, why?: string | null): void;
  received(listener: string, bytes: number): void;
  sent(listener: string, bytes: number): void;
  /** One datagram of UDP came, went to the client, or was dropped. */
  datagram(listener: string, what: 'received' | 'sent' | DatagramDrop): void;
  /** It did not take a connection, or cut it off before a word was said. */
  targetFailed(listener: string, target: string, code: string): void;
  /** A connection with it went well, in the order of the failures. */
  targetTook(listener: string, target: string): void;
  ended(listener: string, end: ConnectionEnd): void;
}

/** How a listener serves: decided from its configuration, changeable while it runs. */
export interface ListenerPlan {
  name: string;
  config: ListenerConfig;
  targets: Target[];
  /** Null for a listener that balances. */
  sink: Sink | null;
  /** Absent or null for one without. */
  handler?: HandlerPool | null;
  /** What the listener proves itself with; absent where it does not end TLS. */
  credentials?: Credentials | null;
  /** How targets are spoken to; absent: without TLS. */
  targetTls?: TargetTls | null;
  /** Server names that have targets of their own. */
  routes?: Route[];
}

/** Where connections go that ask for a server name (SNI), as the configuration has it. */
export interface Route {
  serverName: string;
  targets: Target[];
}

export interface EngineListener {
  readonly name: string;
  /** Whether anybody is there to accept; absent: always. */
  accepts?(): boolean;
  active(): number;
  targets(): TargetCounters[];
  /** Connections that wait for a place at a target. */
  waiting(): number;
  /** New limits, targets, policy; connections that are open go on. */
  update(plan: ListenerPlan): void;
  /** Ends every connection that is open to the target. */
  end(target: string, reason: EndReason): void;
  /** Accepts no more, waits for connections to end, and after `deadlineMs` ends them. */
  drain(deadlineMs: number): Promise<void>;
}

export interface Engine {
  readonly name: 'portable' | 'native';
  serve(plan: ListenerPlan, bindings: AnyBinding[], reports: EngineReports): EngineListener;
}
