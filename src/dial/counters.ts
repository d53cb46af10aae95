// What has happened so far, as plain numbers, and as metrics of a program's own registry.
import type { Registry as MetricsRegistry } from 'prom-client';

export interface Counters {
  calls: number;
  attempts: number;
  succeeded: number;
  failed: number;
  retries: number;
  /** Retries that had to wait for their turn. */
  paced: number;
  opened: number;
  halfOpened: number;
  closed: number;
  fallbacks: number;
  queueTimeouts: number;
  queueFull: number;
  connected: number;
  reused: number;
  /** Connections that were found dead, or too old, when they were to be used again. */
  discarded: number;
}

export const noCounts = (): Counters => ({
  ...{ calls: 0, attempts: 0, succeeded: 0, failed: 0, retries: 0, paced: 0 },
  ...{ opened: 0, halfOpened: 0, closed: 0, fallbacks: 0, queueTimeouts: 0, queueFull: 0 },
  ...{ connected: 0, reused: 0, discarded: 0 },
});

export interface TargetStatus {
  id: string;
  /** Calls under way. */
  active: number;
  total: number;
  breaker: 'closed' | 'open' | 'half-open';
}

const help: { [Name in keyof Counters]: string } = {
  calls: 'Calls that were made',
  attempts: 'Attempts that they took',
  succeeded: 'Calls that succeeded',
  failed: 'Calls that failed',
  retries: 'Attempts after the first',
  paced: 'Retries that waited for the retry budget',
  opened: 'Times that a breaker has opened',
  halfOpened: 'Probes of open breakers',
  closed: 'Times that a breaker has closed again',
  fallbacks: 'Calls that were answered by the fallback',
  queueTimeouts: 'Calls that waited too long for a connection or for their turn to retry',
  queueFull: 'Calls that were refused because too many waited',
  connected: 'Connections that were opened',
  reused: 'Times that an open connection was used again',
  discarded: 'Connections that were dead or too old when they were to be used again',
};

const states = ['closed', 'open', 'half-open'] as const;
const said = new WeakMap<MetricsRegistry, Set<Source>>();

export interface Source {
  readonly name: string;
  counters(): Counters;
  targets(): TargetStatus[];
}

/** Every dialler of a program goes into the same metrics, told apart by `pool`. Returns what takes it out. */
export async function exposeMetrics(source: Source, registry: MetricsRegistry): Promise<() => void> {
  const { Counter, Gauge } = await import('prom-client');
  let sources = said.get(registry);
  if (!sources) {
    const all = new Set<Source>();
    sources = all;
    said.set(registry, all);
    for (const name of Object.keys(help) as (keyof Counters)[])
      new Counter({
        name: `portreeve_dial_${name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}_total`,
        help: help[name],
        labelNames: ['pool'],
        registers: [registry],
        collect() {
          this.reset();
          for (const each of all) this.inc({ pool: each.name }, each.counters()[name]);
        },
      });
    new Gauge({
      ...{ name: 'portreeve_dial_breaker', help: 'Targets by the state of their breaker' },
      ...{ labelNames: ['pool', 'state'], registers: [registry] },
      collect() {
        this.reset();
        for (const each of all)
          for (const state of states)
            this.set(
              { pool: each.name, state },
              each.targets().filter(({ breaker }) => breaker === state).length,
            );
      },
    });
  }
  const own = sources;
  own.add(source);
  return () => void own.delete(source);
}
