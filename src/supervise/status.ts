// What an instance is given, and what it tells of itself.
import type { ServiceConfig } from '../config/index.ts';
import type { Context } from '../core/context.ts';
import type { HealthVerdict } from '../core/verdict.ts';
import type { Scheduler } from '../health/index.ts';
import type { System } from '../system/index.ts';
import type { PortSource } from './claims.ts';
import type { Trees } from './kept-tree.ts';
import type { Ports } from './launch.ts';
import type { Restart } from './restarts.ts';
import type { Sight } from './sight.ts';

/** Closed: it is a label of the metrics. */
export const instanceStates = [
  'waiting',
  'starting',
  'up',
  'down',
  'backoff',
  'crash-looping',
  'finished',
  'stopping',
  'stopped',
] as const;

export type InstanceState = (typeof instanceStates)[number];

export interface InstanceStatus {
  /** `user-api/0`. */
  name: string;
  index: number;
  /** Only an instance that is `up` may be sent connections. A oneshot is `up` while it runs. */
  state: InstanceState;
  /** Why it is in this state, where that is not plain: what it waits for, where it listens instead. */
  reason: string | null;
  /** What an instance that is `waiting` waits for. */
  waitsFor: 'dependency' | 'port' | null;
  pid: number | null;
  /** In the order of the configuration; empty before the first start. */
  ports: Ports;
  verdict: HealthVerdict;
  /** Starts after the first. */
  restarts: number;
  /** The last ones, oldest first. */
  history: readonly Restart[];
  /** `exit code 1`, `killed by SIGKILL`, `could not start: …`. */
  lastExit: string | null;
  /** Wall clock (ms) of the running process's start. */
  startedAt: number | null;
  /** Wall clock (ms) of the planned start. */
  nextStartAt: number | null;
}

/** Whether what a service depends on is there. Asked before an instance's first start only. */
export interface StartGate {
  /** In words what is missing; null where nothing is. */
  blockedBy(config: ServiceConfig): string | null;
  /** Called when the answer may have become another. Returns how to stop listening. */
  onChange(listener: () => void): () => void;
}

export interface SuperviseDeps {
  context: Context;
  ports: PortSource;
  scheduler: Scheduler;
  sight: Sight;
  trees: Trees;
  /** Absent: every command is what is started. */
  startable?: System['startable'];
  /** Absent: nobody knows. */
  memoryKills?: System['memoryKills'];
  gate: StartGate;
  /** Relative working directories begin here. */
  folder: string;
  /** Where the output of instances is kept; null: nowhere. */
  logs: string | null;
  /** Whether no other process writes there. Default: nobody does. */
  isAlone?: () => boolean;
  /** In which programs print, where they are not said to use another; absent: UTF-8. */
  encoding?: string | undefined;
  env: NodeJS.ProcessEnv;
  /** Resolves when no connection is open to the instance any more, at the latest when the signal aborts. */
  unused(instance: string, signal: AbortSignal): Promise<void>;
}
