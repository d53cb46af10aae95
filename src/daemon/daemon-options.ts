// What a daemon is started with, and what it can be told to do.
import type { Writable } from 'node:stream';
import type { Log } from '../core/context.ts';
import type { Keeper } from '../supervise/index.ts';
import type { ServiceManager, System } from '../system/index.ts';
import type { ReloadResult, UpgradeRequest, UpgradeResult } from './orders.ts';
import type { DaemonStatus } from './status.ts';
import type { Inheritance } from './succession/index.ts';

export interface DaemonOptions {
  configFile: string;
  system: System;
  env: NodeJS.ProcessEnv;
  /** For sinks with `stdout: true`. */
  stdout: Writable;
  log: Log;
  version: string;
  /** Ends the services where this process is killed; absent: the next daemon on the state directory does. */
  keeper?: Keeper | undefined;
  /** Is told how the daemon does: what runs this process as a service. */
  manager?: ServiceManager | null;
  /** Milliseconds between failing readiness and accepting no more, for those who look seldom. Default 0. */
  lameDuck?: number;
  /** Milliseconds that open connections get when it stops. Default 30,000. */
  drainDeadline?: number;
  /** Program and arguments that start this daemon anew, for an upgrade. Absent: it cannot be upgraded. */
  again?: readonly string[];
  /** The daemon that this one succeeds. */
  inheritance?: Inheritance | null;
}

export interface Daemon {
  /** `host:port` of the control API. */
  readonly address: string;
  /** Resolves once the daemon has stopped, whoever asked for it. */
  readonly stopped: Promise<void>;
  status(): DaemonStatus;
  /** @throws ReeveError where the new configuration cannot be had; nothing has changed then. */
  reload(): Promise<ReloadResult>;
  /**
   * Starts this daemon anew as another process, which takes over the listening sockets once it is ready; this one
   * drains when `leave` is called. @throws ReeveError where that one does not get ready: nothing has changed then.
   */
  upgrade(request: UpgradeRequest): Promise<UpgradeResult>;
  leave(): void;
  /** Fails readiness, accepts no more, waits for connections, stops services, delivers what sinks hold. */
  drainAndStop(): Promise<void>;
  /** Ends every process of every service at once, for who will not wait. */
  killServices(): void;
}
