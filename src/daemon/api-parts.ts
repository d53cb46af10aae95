// What the control API is given: all that it can see and do.
import type { Log } from '../core/context.ts';
import type { Query } from '../registry/index.ts';
import type { EventBus } from './events.ts';
import type { Metrics } from './metrics.ts';
import type {
  DrainRequest,
  DrainResult,
  ReloadResult,
  RestartRequest,
  RestartResult,
  ScaleRequest,
  ScaleResult,
} from './orders.ts';
import type { DaemonStatus } from './status.ts';

export interface ApiParts {
  host: string;
  port: number;
  token: string;
  log: Log;
  events: EventBus;
  metrics: Metrics;
  status(): DaemonStatus;
  reload(): Promise<ReloadResult>;
  drain(request: DrainRequest): DrainResult;
  restart(request: RestartRequest): Promise<RestartResult>;
  scale(request: ScaleRequest): Promise<ScaleResult>;
  /** In the registry: one service, or all of them for null. */
  find(query: Query | null, signal: AbortSignal): Promise<unknown>;
  stop(): void;
}
