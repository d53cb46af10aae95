// What the daemon can be told to do beyond reading its status, and what it answers.
import type { ConfigDiff } from '../config/index.ts';

export interface ReloadResult extends ConfigDiff {
  /** False: the file says what it said before. */
  changes: boolean;
}

export interface DrainRequest {
  /** `host:port` of a target, or the instance behind it (`user-api/0`). */
  target: string;
  /** Only in this listener; in all where absent. */
  listener?: string;
  /** True takes the drain back. */
  resume?: boolean;
  /** Milliseconds after which the connections that are still open are ended; absent: they go on. */
  deadlineMs?: number;
}

export interface WeightRequest {
  /** As for a drain. */
  target: string;
  listener?: string;
  /** Null: what the configuration says. */
  weight: number | null;
}

/** `listener: host:port`, one for each listener that has the target. */
export interface WeightResult {
  targets: string[];
}

export interface DrainResult {
  /** `listener: host:port`, one for each listener that has the target. */
  targets: string[];
}

export interface RestartRequest {
  service: string;
  /** All, one after the other, where absent. */
  instance?: number;
}

export interface RestartResult {
  /** `user-api/0`. */
  restarted: string[];
}

export interface MaintainRequest {
  /** `user-api`, `check/user-api`, `user-api/0`, `10.0.0.5:80`. */
  name: string;
  /** Milliseconds; an hour where absent. */
  forMs?: number;
  /** True: it is over. */
  end?: boolean;
}

export interface MaintainResult {
  subject: string;
  /** All that is in maintenance now. */
  maintenance: { subject: string; until: string }[];
}

export interface ScaleRequest {
  service: string;
  instances: number;
}

export interface ScaleResult {
  service: string;
  before: number;
  instances: number;
  /** What the configuration says: it counts again when it says another number, and after a restart of the daemon. */
  configured: number;
}
