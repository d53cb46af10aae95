// The checks that the configuration names, kept in step with it.
import { isDeepStrictEqual } from 'node:util';
import type { CheckConfig } from '../config/index.ts';
import type { Check, Scheduler } from '../health/index.ts';
import type { Metrics } from './metrics.ts';
import type { CheckStatus } from './status.ts';

export interface CheckRoom {
  /** Starts the new, stops the removed; a check whose timing alone changed keeps its verdict. */
  apply(configs: Record<string, CheckConfig>): void;
  status(): CheckStatus[];
}

export function createCheckRoom(scheduler: Scheduler, metrics: Metrics): CheckRoom {
  const rows = new Map<string, { config: CheckConfig; check: Check }>();
  const remove = (name: string) => {
    rows.get(name)?.check.stop();
    rows.delete(name);
    metrics.forget('check', name);
  };
  return {
    apply(configs) {
      for (const name of [...rows.keys()]) if (!Object.hasOwn(configs, name)) remove(name);
      for (const [name, config] of Object.entries(configs)) {
        const row = rows.get(name);
        if (isDeepStrictEqual(row?.config, config)) continue;
        if (row?.config.url === config.url) {
          row.check.retime(config);
          row.config = config;
          continue;
        }
        if (row) remove(name);
        const check = scheduler.add({
          name: `check/${name}`,
          url: config.url,
          timing: config,
          emits: true,
          onResult: ({ last }) => last && metrics.checkResult(name, last.verdict, last.ms),
        });
        rows.set(name, { config, check });
      }
    },
    status: () => [...rows].map(([name, { check, config }]) => statusOf(name, check, config)),
  };
}

function statusOf(name: string, check: Check, config: CheckConfig): CheckStatus {
  const { url, state, last, lastAt, summary, since, nextAt } = check;
  const { fall, rise, timeout, interval } = config;
  return {
    name,
    url: withoutPassword(url),
    verdict: state.verdict,
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
