// The checks that the configuration names, kept in step with it.
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { CheckConfig } from '../config/index.ts';
import { type Alerts, alertPolicy, answerOptions, type Check, type Scheduler } from '../health/index.ts';
import type { Metrics } from './metrics/index.ts';
import type { CheckStatus } from './status.ts';

export interface CheckRoom {
  /** Starts the new, stops the removed; one that goes on asking the same keeps its verdict. */
  apply(configs: Record<string, CheckConfig>): void;
  status(): CheckStatus[];
  /** Whether a check that is down keeps this service out of the registry. */
  wantsOut(service: string): boolean;
}

export interface CheckRoomDeps {
  scheduler: Scheduler;
  alerts: Pick<Alerts, 'of' | 'isTold'>;
  metrics: Metrics;
  /** Files are relative to it. */
  folder: string;
  /** Looks again at who is to be in the registry. */
  deregister(): void;
}

interface Row {
  config: CheckConfig;
  check: Check;
  shown: { key: unknown[]; status: CheckStatus } | null;
}

export function createCheckRoom({
  scheduler,
  alerts,
  metrics,
  folder,
  deregister,
}: CheckRoomDeps): CheckRoom {
  const rows = new Map<string, Row>();
  const remove = (name: string) => {
    rows.get(name)?.check.stop();
    rows.delete(name);
    metrics.forget('check', name);
  };
  const policyOf = (config: CheckConfig) =>
    alertPolicy(
      config,
      config.dependsOn.map((name) => `check/${name}`),
    );
  return {
    apply(configs) {
      for (const name of [...rows.keys()]) if (!Object.hasOwn(configs, name)) remove(name);
      for (const [name, config] of Object.entries(configs)) {
        const row = rows.get(name);
        if (isDeepStrictEqual(row?.config, config)) continue;
        if (row && isDeepStrictEqual(asked(row.config), asked(config))) {
          row.check.adjust(config, policyOf(config));
          row.config = config;
          continue;
        }
        if (row) remove(name);
        const { ca } = config;
        const check = scheduler.add({
          name: `check/${name}`,
          url: config.url,
          timing: config,
          emits: true,
          initial: config.initial,
          kept: true,
          options: { ...answerOptions(config), ...(ca !== undefined && { ca: path.resolve(folder, ca) }) },
          alerts: policyOf(config),
          onResult({ last }) {
            if (last) metrics.checkResult(name, last.verdict, last.ms);
            // Alerts hear of the result after this.
            if (rows.get(name)?.config.onDown.some((action) => action.deregister)) setImmediate(deregister);
          },
        });
        rows.set(name, { config, check, shown: null });
      }
    },
    wantsOut: (service) =>
      [...rows].some(
        ([name, { config }]) =>
          config.onDown.some((action) => action.deregister === service) && alerts.isTold(`check/${name}`),
      ),
    status: () => [...rows].map(([name, row]) => shownStatus(name, row, alerts.of(row.check.name))),
  };
}

/** Made anew only where something differs: it is asked for every second, and there may be thousands. */
function shownStatus(name: string, row: Row, more: Pick<CheckStatus, 'flapping' | 'held'>): CheckStatus {
  const { check, config } = row;
  const key = [check.state, check.lastAt, check.nextAt, config, more.flapping, more.held];
  if (!row.shown || key.some((value, n) => value !== row.shown!.key[n])) {
    row.shown = { key, status: { ...statusOf(name, check, config), ...more } };
  }
  return row.shown.status;
}

/** Another of these is another check. */
const asked = (config: CheckConfig) => [config.url, answerOptions(config)];

function statusOf(name: string, check: Check, config: CheckConfig): Omit<CheckStatus, 'flapping' | 'held'> {
  const { url, state, degraded, last, lastAt, summary, since, nextAt } = check;
  const { fall, rise, timeout, interval } = config;
  return {
    name,
    url: withoutPassword(url),
    verdict: state.verdict,
    degraded,
    ms: last?.ms ?? null,
    reason: last?.reason ?? null,
    detail: summary,
    checkedAt: iso(lastAt),
    since: new Date(since).toISOString(),
    nextAt: iso(nextAt),
    streak: state.streak,
    ...{ fall, rise, timeout, interval },
  };
}

const iso = (time: number | null) => (time === null ? null : new Date(time).toISOString());

/** `http://user:secret@host/` is shown to everybody on this machine. */
function withoutPassword(url: string): string {
  return url.replace(/^([a-z]+:\/\/)[^/@]*@/, '$1');
}
