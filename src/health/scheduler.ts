// Runs many checks: each at its own times, never twice at once, and never more than so many probes together.
import type { Context } from '../core/context.ts';
import { type Check, type CheckSpec, type Gate, ScheduledCheck } from './check.ts';
import { createLoopWatch } from './loop-watch.ts';
import { assertProbeUrl, probe } from './probe.ts';

export interface SchedulerOptions {
  /** Probes under way at once; more wait in the order they came. Default 32. */
  maxInFlight?: number;
  probe?: Gate['probe'];
}

export interface Scheduler {
  /** @throws ReeveError `usage` for a URL that cannot be probed. */
  add(spec: CheckSpec): Check;
  readonly inFlight: number;
  /** Stops every check. */
  stop(): void;
}

export function createScheduler(context: Context, options: SchedulerOptions = {}): Scheduler {
  const maxInFlight = options.maxInFlight ?? 32;
  const checks = new Set<ScheduledCheck>();
  // A set keeps the order of arrival and forgets a stopped check at once.
  const waiting = new Set<ScheduledCheck>();
  const watch = createLoopWatch(context.clock);
  let inFlight = 0;

  const pump = () => {
    for (const check of waiting) {
      if (inFlight >= maxInFlight) return;
      waiting.delete(check);
      inFlight += 1;
      watch.hold();
      void check.run().then(() => {
        inFlight -= 1;
        watch.release();
        pump();
      });
    }
  };
  const gate: Gate = {
    enter(check) {
      waiting.add(check);
      pump();
    },
    leave(check) {
      waiting.delete(check);
      checks.delete(check);
    },
    probe: options.probe ?? probe,
    stalledSince: watch.stalledSince,
  };

  return {
    add(spec) {
      assertProbeUrl(spec.url);
      const check = new ScheduledCheck(spec, context, gate);
      checks.add(check);
      return check;
    },
    get inFlight() {
      return inFlight;
    },
    stop() {
      for (const check of [...checks]) check.stop();
    },
  };
}
