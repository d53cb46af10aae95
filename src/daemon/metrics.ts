// The status as Prometheus text. States are read when scraped; only what has no state (times, events) is pushed.
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { HealthVerdict } from '../core/verdict.ts';
import type { ActionOutcome } from '../health/index.ts';
import { type ConnectionEnd, datagramDrops } from '../relay/index.ts';
import { dropReasons } from '../sinks/index.ts';
import { instanceStates } from '../supervise/index.ts';
import { createListenerHistogram } from './listener-histogram.ts';
import { processMetrics } from './process-metrics.ts';
import type { DaemonStatus, DatagramStatus } from './status.ts';

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

/** Errors are ends that nobody wanted: all but these. */
const goodEnds = new Set(['done', 'idle', 'drained']);

export function createMetrics(version: string): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const counter = (name: string, help: string, labelNames: string[] = []) =>
    new Counter({ name: `portreeve_${name}`, help, labelNames, registers });
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name: `portreeve_${name}`, help, labelNames, registers });
  const histogram = (name: string, help: string, labelNames: string[], buckets: number[]) =>
    new Histogram({ name: `portreeve_${name}`, help, labelNames, buckets, registers });

  const byListener = (name: string, help: string, buckets: number[]) =>
    createListenerHistogram(`portreeve_${name}`, help, buckets, registry);

  const duration = byListener('connection_duration_seconds', 'How long connections lasted.', durationBuckets);
  const connect = byListener(
    'connect_duration_seconds',
    'How long targets took to accept a connection.',
    connectBuckets,
  );
  const checkDuration = histogram(
    'check_duration_seconds',
    'How long probes took.',
    ['check'],
    connectBuckets,
  );
  const checkResults = counter('check_results_total', 'Probes by their result.', ['check', 'verdict']);
  const actions = counter('actions_total', 'Actions of checks by their outcome.', ['action', 'outcome']);
  const events = counter('events_total', 'State changes by kind.', ['kind']);
  gauge('build_info', 'Always 1; the labels tell what runs.', ['version', 'node']).set(
    { version, node: process.version },
    1,
  );
  const host = processMetrics(registers);

  const scraped = {
    ready: gauge('ready', 'Whether the daemon is ready: 1 from the end of its start until it drains.'),
    connections: counter('connections_total', 'Connections accepted.', ['listener']),
    active: gauge('active_connections', 'Connections open now.', ['listener']),
    listening: gauge('listener_up', 'Whether every address of the listener is listening.', ['listener']),
    received: counter('bytes_received_total', 'Bytes received from clients.', ['listener']),
    sent: counter('bytes_sent_total', 'Bytes sent to clients.', ['listener']),
    datagrams: counter('datagrams_total', 'Datagrams received from clients and sent to them (UDP).', [
      'listener',
      'direction',
    ]),
    datagramsDropped: counter('datagrams_dropped_total', 'Datagrams dropped, by the reason (UDP).', [
      'listener',
      'reason',
    ]),
    refused: counter('refusals_total', 'Connections turned away at the door.', ['listener', 'reason']),
    errors: counter('connection_errors_total', 'Connections that ended in an error.', ['listener', 'reason']),
    targetConnections: counter('target_connections_total', 'Connections given to the target.', [
      'listener',
      'target',
    ]),
    targetActive: gauge('target_active_connections', 'Connections open to the target now.', [
      'listener',
      'target',
    ]),
    targetFailures: counter('target_failures_total', 'Connections that the target did not take.', [
      'listener',
      'target',
    ]),
    workerCpu: counter('relay_worker_cpu_seconds_total', 'CPU time that the relay worker used.', ['worker']),
    workerMemory: gauge('relay_worker_resident_memory_bytes', 'Resident memory of the relay worker.', [
      'worker',
    ]),
    waiting: gauge('waiting_connections', 'Connections that wait for a place at a target.', ['listener']),
    panic: gauge('listener_panic', 'Whether so few targets are fit that all are used.', ['listener']),
    targetEjected: gauge('target_ejected', 'Whether the target is put aside for failing connections.', [
      'listener',
      'target',
    ]),
    targetUp: gauge('target_up', 'Whether the target is fit: 1 unless down, ejected or draining.', [
      'listener',
      'target',
    ]),
    checkUp: gauge('check_up', 'Verdict of the check: 1 up, 0 down; absent while unknown.', ['check']),
    checkDegraded: gauge('check_degraded', 'Whether the check is up, and to be looked at.', ['check']),
    checkFlapping: gauge('check_flapping', 'Whether the check changes too often.', ['check']),
    checkHeld: gauge('check_held', 'Whether an action that was due is held, by the reason.', [
      'check',
      'reason',
    ]),
    maintenance: gauge('maintenance', 'Always 1, for what is in maintenance.', ['subject']),
    gatewayUp: gauge(
      'gateway_up',
      'Whether the gateway answered when it was asked last; absent before that.',
    ),
    instanceUp: gauge('instance_up', 'Whether the instance is up.', ['service', 'instance']),
    instanceState: gauge('instance_state', 'State of the instance: 1 for the one that it is in, else 0.', [
      'service',
      'instance',
      'state',
    ]),
    restarts: counter('restarts_total', 'Instances started again, by the reason.', ['service', 'reason']),
    certificateExpiry: gauge(
      'certificate_expiry_seconds',
      'Seconds until the certificate expires; negative once it has. server_name is empty for the default one.',
      ['listener', 'server_name'],
    ),
    handlerQueue: gauge('handler_queued_calls', 'Calls of the handler that wait for a place.', ['listener']),
    handlerRunning: gauge('handler_running_calls', 'Calls of the handler under way.', ['listener']),
    handlerWaited: counter('handler_wait_seconds_total', 'How long calls waited for a place, in all.', [
      'listener',
    ]),
    handlerCalls: counter('handler_calls_total', 'Calls of the handler.', ['listener']),
    handlerFailures: counter('handler_failures_total', 'Calls without an answer, by the reason.', [
      'listener',
      'reason',
    ]),
    sinkRecords: counter('sink_records_total', 'Records that the sink delivered.', ['sink']),
    registryUp: gauge('registry_up', 'Whether the registry answers and takes what it is told.', ['kind']),
    registryFailures: counter('registry_failures_total', 'Requests to the registry that failed.', ['kind']),
    registryAnnounced: gauge('registry_announced', 'Instances announced, by what was told of them.', [
      'service',
      'standing',
    ]),
    registryFound: gauge('registry_found', 'Passing instances of a service that is followed.', ['service']),
    registryStale: gauge('registry_stale', 'Whether that list may be out of date.', ['service']),
    sinkBytes: counter('sink_bytes_total', 'Bytes that the sink delivered.', ['sink']),
    sinkAccepted: counter('sink_accepted_total', 'Records that the sink took over.', ['sink']),
    sinkUp: gauge('sink_up', 'Whether the sink can write: 0 while its listeners read no further.', ['sink']),
    sinkFailures: counter('sink_failures_total', 'How often the sink began to fail.', ['sink']),
    sinkSpooled: gauge('sink_spooled_records', 'Records that wait on disk to be delivered.', ['sink']),
    sinkDropped: counter('sink_dropped_total', 'Records received and not delivered, by the reason.', [
      'sink',
      'reason',
    ]),
  };

  function scrape(status: DaemonStatus): void {
    for (const metric of Object.values(scraped)) metric.reset();
    scraped.ready.set(status.state === 'ready' ? 1 : 0);
    for (const [worker, { cpuSeconds, memoryBytes }] of status.relayWorkers.entries()) {
      scraped.workerCpu.inc({ worker: String(worker) }, cpuSeconds);
      scraped.workerMemory.set({ worker: String(worker) }, memoryBytes);
    }
    for (const { name: listener, ...row } of status.listeners) {
      scraped.connections.inc({ listener }, row.connections.total);
      scraped.active.set({ listener }, row.connections.active);
      scraped.listening.set({ listener }, row.binds.every((bind) => bind.listening) ? 1 : 0);
      scraped.received.inc({ listener }, row.bytes.received);
      scraped.sent.inc({ listener }, row.bytes.sent);
      scraped.waiting.set({ listener }, row.waiting);
      if (row.datagrams) scrapeDatagrams(listener, row.datagrams);
      scraped.panic.set({ listener }, row.panic ? 1 : 0);
      for (const [reason, count] of Object.entries(row.refused))
        scraped.refused.inc({ listener, reason }, count);
      for (const [reason, count] of Object.entries(row.ended)) {
        if (!goodEnds.has(reason)) scraped.errors.inc({ listener, reason }, count);
      }
      for (const { serverName, expiresIn } of row.certificates) {
        scraped.certificateExpiry.set({ listener, server_name: serverName ?? '' }, expiresIn);
      }
      if (row.handler) {
        scraped.handlerQueue.set({ listener }, row.handler.queued);
        scraped.handlerRunning.set({ listener }, row.handler.running);
        scraped.handlerWaited.inc({ listener }, row.handler.waitedMs / 1000);
        scraped.handlerCalls.inc({ listener }, row.handler.calls);
        for (const [reason, count] of [
          ['failed', row.handler.failed],
          ['timeout', row.handler.timeouts],
          ['crash', row.handler.crashes],
        ] as const)
          scraped.handlerFailures.inc({ listener, reason }, count);
      }
      for (const { id: target, ...is } of row.targets) {
        scraped.targetConnections.inc({ listener, target }, is.connections.total);
        scraped.targetActive.set({ listener, target }, is.connections.active);
        scraped.targetFailures.inc({ listener, target }, is.failures);
        const out = is.verdict === 'down' || is.draining || is.ejectedUntil !== null;
        scraped.targetUp.set({ listener, target }, out ? 0 : 1);
        scraped.targetEjected.set({ listener, target }, is.ejectedUntil === null ? 0 : 1);
      }
    }
    for (const { name: check, verdict, degraded, flapping, held } of status.checks) {
      if (verdict !== 'unknown') scraped.checkUp.set({ check }, verdict === 'up' ? 1 : 0);
      scraped.checkDegraded.set({ check }, degraded ? 1 : 0);
      scraped.checkFlapping.set({ check }, flapping ? 1 : 0);
      if (held !== null) scraped.checkHeld.set({ check, reason: held }, 1);
    }
    for (const { subject } of status.maintenance) scraped.maintenance.set({ subject }, 1);
    const reached = status.gateway?.reached ?? null;
    if (reached !== null) scraped.gatewayUp.set(reached ? 1 : 0);
    for (const { name: service, instances, restarts } of status.services) {
      for (const [reason, count] of Object.entries(restarts))
        scraped.restarts.inc({ service, reason }, count);
      for (const { id: instance, state: now } of instances) {
        scraped.instanceUp.set({ service, instance }, now === 'up' ? 1 : 0);
        for (const state of instanceStates) {
          scraped.instanceState.set({ service, instance, state }, state === now ? 1 : 0);
        }
      }
    }
    scrapeRegistry(status.registry);
    for (const { name: sink, ...is } of status.sinks) {
      scraped.sinkRecords.inc({ sink }, is.delivered);
      scraped.sinkBytes.inc({ sink }, is.bytes);
      scraped.sinkAccepted.inc({ sink }, is.accepted);
      scraped.sinkUp.set({ sink }, is.failure === null ? 1 : 0);
      scraped.sinkFailures.inc({ sink }, is.failures);
      scraped.sinkSpooled.set({ sink }, is.spooled);
      for (const reason of dropReasons) scraped.sinkDropped.inc({ sink, reason }, is.dropped[reason] ?? 0);
    }
  }

  function scrapeDatagrams(listener: string, { received, sent, dropped }: DatagramStatus): void {
    scraped.datagrams.inc({ listener, direction: 'received' }, received);
    scraped.datagrams.inc({ listener, direction: 'sent' }, sent);
    for (const reason of datagramDrops)
      scraped.datagramsDropped.inc({ listener, reason }, dropped[reason] ?? 0);
  }

  function scrapeRegistry({ kind, state, failures, announced, watches }: DaemonStatus['registry']): void {
    scraped.registryUp.set({ kind }, state === 'ok' ? 1 : 0);
    scraped.registryFailures.inc({ kind }, failures);
    for (const { service, standing } of announced) scraped.registryAnnounced.inc({ service, standing });
    for (const { service, instances, stale } of watches) {
      scraped.registryFound.set({ service }, instances);
      scraped.registryStale.set({ service }, stale === null ? 0 : 1);
    }
  }

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
      scrape(status);
      await host.update();
      return registry.metrics();
    },
    close: () => host.close(),
  };
}
