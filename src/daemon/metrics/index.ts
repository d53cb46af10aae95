// The status as Prometheus text. States are read when scraped; only what has no state (times, events) is pushed.
import { Registry } from 'prom-client';
import type { HealthVerdict } from '../../core/verdict.ts';
import type { ActionOutcome } from '../../health/index.ts';
import type { ConnectionEnd } from '../../relay/index.ts';
import type { DaemonStatus } from '../status.ts';
import { checkSeries } from './checks.ts';
import { createListenerHistogram } from './listener-histogram.ts';
import { listenerSeries } from './listeners.ts';
import { processMetrics } from './process.ts';
import { createSeries } from './series.ts';
import { registrySeries, serviceSeries, sinkSeries } from './services.ts';

export interface Metrics {
  readonly contentType: string;
  connectionEnded(listener: string, end: ConnectionEnd): void;
  checkResult(check: string, verdict: HealthVerdict, ms: number | null): void;
  /** An action of a check: run, webhook, restart. */
  action(action: string, outcome: ActionOutcome): void;
  event(kind: string): void;
  /** Drops the series of what the configuration no longer names. */
  forget(kind: 'listener' | 'check', name: string): void;
  render(status: DaemonStatus): Promise<string>;
  close(): void;
}

/** Seconds. Loopback answers in microseconds, a hanging connect takes 5 s: a P99 anywhere between is told to ±50 %. */
const connectBuckets = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5,
];
/** Seconds. From one request to a connection that is kept for hours. */
const durationBuckets = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 600, 3600,
];

export function createMetrics(version: string): Metrics {
  const registry = new Registry();
  const pushed = createSeries(registry);
  const byListener = (name: string, help: string, buckets: number[]) =>
    createListenerHistogram(`portreeve_${name}`, help, buckets, registry);

  const duration = byListener('connection_duration_seconds', 'How long connections lasted.', durationBuckets);
  const connect = byListener(
    'connect_duration_seconds',
    'How long targets took to accept a connection.',
    connectBuckets,
  );
  const checkDuration = pushed.histogram(
    'check_duration_seconds',
    'How long probes took.',
    ['check'],
    connectBuckets,
  );
  const checkResults = pushed.counter('check_results_total', 'Probes by their result.', ['check', 'verdict']);
  const actions = pushed.counter('actions_total', 'Actions of checks by their outcome.', [
    'action',
    'outcome',
  ]);
  const events = pushed.counter('events_total', 'State changes by kind.', ['kind']);
  pushed
    .gauge('build_info', 'Always 1; the labels tell what runs.', ['version', 'node'])
    .set({ version, node: process.version }, 1);
  const host = processMetrics([registry]);

  const scraped = createSeries(registry);
  const ready = scraped.gauge(
    'ready',
    'Whether the daemon is ready: 1 from the end of its start until it drains.',
  );
  const makers = [listenerSeries, checkSeries, serviceSeries, registrySeries, sinkSeries];
  const tellers = makers.map((make) => make(scraped));

  return {
    contentType: registry.contentType,
    connectionEnded(listener, end) {
      duration.observe(listener, end.ms / 1000);
      if (end.connectMs !== null) connect.observe(listener, end.connectMs / 1000);
    },
    checkResult(check, verdict, ms) {
      checkResults.inc({ check, verdict });
      if (ms !== null) checkDuration.observe({ check }, ms / 1000);
    },
    action: (action, outcome) => actions.inc({ action, outcome }),
    event: (kind) => events.inc({ kind }),
    forget(kind, name) {
      if (kind === 'listener') {
        duration.forget(name);
        connect.forget(name);
      } else {
        checkDuration.remove({ check: name });
        for (const verdict of ['up', 'down', 'unknown']) checkResults.remove({ check: name, verdict });
      }
    },
    async render(status) {
      scraped.reset();
      ready.set(status.state === 'ready' ? 1 : 0);
      for (const tell of tellers) tell(status);
      await host.update();
      return registry.metrics();
    },
    close: () => host.close(),
  };
}
