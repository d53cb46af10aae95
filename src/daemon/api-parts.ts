// What the control API is given: all that it can see and do.
import type { Config } from '../config/index.ts';
import type { Log } from '../core/context.ts';
import type { LeaseBook } from '../leases/index.ts';
import type { Query } from '../registry/index.ts';
import type { System } from '../system/index.ts';
import type { EventBus } from './events.ts';
import type { Recorder } from './history/recorder.ts';
import type { Metrics } from './metrics/index.ts';
import type {
  DrainRequest,
  DrainResult,
  MaintainRequest,
  MaintainResult,
  ReloadResult,
  RestartRequest,
  RestartResult,
  ScaleRequest,
  ScaleResult,
  UpgradeRequest,
  UpgradeResult,
  WeightRequest,
  WeightResult,
} from './orders.ts';
import type { LastReload } from './reload.ts';
import type { DaemonStatus } from './status.ts';

export interface ApiParts {
  host: string;
  port: number;
  /** A socket that listens there already: the one of the daemon that this one succeeds. */
  fd?: number | undefined;
  token: string;
  /** Where a person finds it. */
  tokenFile: string;
  log: Log;
  events: EventBus;
  metrics: Metrics;
  recorder: Recorder;
  system: System;
  status(): DaemonStatus;
  config(): ConfigInForce;
  /** The book that services lease from. */
  leases(): Promise<LeaseBook>;
  reload(): Promise<ReloadResult>;
  drain(request: DrainRequest): DrainResult;
  weigh(request: WeightRequest): WeightResult;
  restart(request: RestartRequest): Promise<RestartResult>;
  maintain(request: MaintainRequest): MaintainResult;
  /** The metrics of one probe of a configured check. @throws ReeveError `not-found`. */
  probe(check: string, timeout: number, signal: AbortSignal): Promise<string>;
  scale(request: ScaleRequest): Promise<ScaleResult>;
  /** In the registry: one service, or all of them for null. */
  find(query: Query | null, signal: AbortSignal): Promise<unknown>;
  /** Resolves once another process has taken over; `leave` then lets this one drain and end. */
  upgrade(request: UpgradeRequest): Promise<UpgradeResult>;
  leave(): void;
  stop(): void;
}

export interface ConfigInForce {
  file: string;
  config: Config;
  /** ISO 8601. */
  loadedAt: string;
  /** Null: not reloaded since the daemon started. */
  lastReload: LastReload | null;
}
