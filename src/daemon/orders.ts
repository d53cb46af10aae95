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
}

export interface DrainResult {
  /** `listener: host:port`, one for each listener that has the target. */
  targets: string[];
}
