// Runs many checks: each at its own times, never twice at once, and never more than so many probes together.
import type { Context } from '../core/context.ts';
import { type Check, type CheckSpec, type Gate, ScheduledCheck, type Standing } from './check.ts';
import { createGateway } from './gateway.ts';
import { createLoopWatch } from './loop-watch.ts';
import type { ProbeOptions, ProbeResult } from './outcome.ts';
import { assertProbeUrl, probe } from './probe.ts';

export interface SchedulerOptions {
  /** Probes under way at once; more wait in the order they came. Default 32. */
  maxInFlight?: number;
  probe?: Gate['probe'];
  /** For every command: what it runs on and where; a check's own options come first. */
  shared?: Pick<ProbeOptions, 'system' | 'exec'>;
  /** URL of what is asked before a failure beyond this machine is believed. */
  gateway?: string | undefined;
  observer?: Observer;
}

/** Is told of every check. */
export interface Observer {
  /** What it was before, where that still holds. */
  recall(spec: CheckSpec): Standing | null;
  added(check: ScheduledCheck): void;
  result(check: ScheduledCheck): void;
  removed(check: ScheduledCheck): void;
}

/** Milliseconds: a gateway is near. */
const gatewayTimeout = 2000;

export interface Scheduler {
  /** @throws ReeveError `usage` for a URL that cannot be probed. */
  add(spec: CheckSpec): Check;
  readonly inFlight: number;
  /** One more probe of a check, at once, that its verdict does not hear of. */
  probeNow(
    name: string,
    timeout: number,
    signal: AbortSignal,
  ): Promise<{ url: string; result: ProbeResult } | null>;
  /** Null: there is none, or it has not been asked. */
  readonly gatewayReached: boolean | null;
  /** Stops every check. */
  stop(): void;
}

export function createScheduler(context: Context, options: SchedulerOptions = {}): Scheduler {
  const maxInFlight = options.maxInFlight ?? 32;
  const checks = new Set<ScheduledCheck>();
  // A set keeps the order of arrival and forgets a stopped check at once.
  const waiting = new Set<ScheduledCheck>();
  const watch = createLoopWatch(context.clock);
  const { observer, shared } = options;
  const ask = options.probe ?? probe;
  const probeAs: Gate['probe'] = (url, own, signal) => {
    // Copying an environment costs more than connecting: only who runs a command needs it.
    if (!shared || !/^exec:/i.test(url)) return ask(url, own, signal);
    const env = { ...shared.exec?.env, ...own.exec?.env };
    const exec = { ...shared.exec, ...own.exec, env };
    return ask(url, { ...shared, ...own, exec }, signal);
  };
  const gateway =
    options.gateway === undefined
      ? null
      : createGateway(
          options.gateway,
          (url, signal) => probeAs(url, { timeout: gatewayTimeout }, signal),
          context,
        );
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
      if (checks.delete(check)) observer?.removed(check);
    },
    probe: probeAs,
    doubted: async (url, result, signal) => (gateway ? gateway.doubted(url, result, signal) : result),
    told: (check) => observer?.result(check),
    stalledSince: watch.stalledSince,
  };

  return {
    add(spec) {
      assertProbeUrl(spec.url, spec.options);
      const check = new ScheduledCheck(spec, context, gate, observer?.recall(spec) ?? null);
      checks.add(check);
      observer?.added(check);
      return check;
    },
    get inFlight() {
      return inFlight;
    },
    async probeNow(name, timeout, signal) {
      for (const { name: own, url, spec } of checks) {
        if (own !== name) continue;
        return { url, result: await probeAs(url, { ...spec.options, timeout }, signal) };
      }
      return null;
    },
    get gatewayReached() {
      return gateway?.reached ?? null;
    },
    stop() {
      for (const check of [...checks]) check.stop();
    },
  };
}
