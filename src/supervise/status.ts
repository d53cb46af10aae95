// What an instance is given, and what it tells of itself.
import type { Context } from '../core/context.ts';
import type { HealthVerdict } from '../core/verdict.ts';
import type { Scheduler } from '../health/index.ts';
import type { PortSource } from './claims.ts';
import type { Ports } from './launch.ts';

export type InstanceState = 'starting' | 'up' | 'down' | 'backoff' | 'crash-looping' | 'stopping' | 'stopped';

export interface InstanceStatus {
  /** `user-api/0`. */
  name: string;
  index: number;
  /** Only an instance that is `up` may be sent connections. */
  state: InstanceState;
  pid: number | null;
  /** In the order of the configuration; empty before the first start. */
  ports: Ports;
  verdict: HealthVerdict;
  /** Starts after the first. */
  restarts: number;
  /** `exit code 1`, `killed by SIGKILL`, `could not start: …`. */
  lastExit: string | null;
  /** Wall clock (ms) of the running process's start. */
  startedAt: number | null;
  /** Wall clock (ms) of the planned start. */
  nextStartAt: number | null;
}

export interface SuperviseDeps extends PortSource {
  context: Context;
  scheduler: Scheduler;
  /** Relative working directories begin here. */
  folder: string;
  env: NodeJS.ProcessEnv;
}
