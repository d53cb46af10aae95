// Listeners, their targets and handlers, and the relay's workers, of the status.
import { datagramDrops } from '../../relay/index.ts';
import type { DaemonStatus, DatagramStatus } from '../status.ts';
import type { Series } from './series.ts';

/** Errors are ends that nobody wanted: all but these. */
const goodEnds = new Set(['done', 'idle', 'drained']);

export function listenerSeries(series: Series): (status: DaemonStatus) => void {
  const all = {
    connections: series.counter('connections_total', 'Connections accepted.', ['listener']),
    active: series.gauge('active_connections', 'Connections open now.', ['listener']),
    listening: series.gauge('listener_up', 'Whether every address of the listener is listening.', [
      'listener',
    ]),
    received: series.counter('bytes_received_total', 'Bytes received from clients.', ['listener']),
    sent: series.counter('bytes_sent_total', 'Bytes sent to clients.', ['listener']),
    datagrams: series.counter('datagrams_total', 'Datagrams received from clients and sent to them (UDP).', [
      'listener',
      'direction',
    ]),
    datagramsDropped: series.counter('datagrams_dropped_total', 'Datagrams dropped, by the reason (UDP).', [
      'listener',
      'reason',
    ]),
    refused: series.counter('refusals_total', 'Connections turned away at the door.', ['listener', 'reason']),
    errors: series.counter('connection_errors_total', 'Connections that ended in an error.', [
      'listener',
      'reason',
    ]),
    waiting: series.gauge('waiting_connections', 'Connections that wait for a place at a target.', [
      'listener',
    ]),
    panic: series.gauge('listener_panic', 'Whether so few targets are fit that all are used.', ['listener']),
    certificateExpiry: series.gauge(
      'certificate_expiry_seconds',
      'Seconds until the certificate expires; negative once it has. server_name is empty for the default one.',
      ['listener', 'server_name'],
    ),
    handlerQueue: series.gauge('handler_queued_calls', 'Calls of the handler that wait for a place.', [
      'listener',
    ]),
    handlerRunning: series.gauge('handler_running_calls', 'Calls of the handler under way.', ['listener']),
    handlerWaited: series.counter(
      'handler_wait_seconds_total',
      'How long calls waited for a place, in all.',
      ['listener'],
    ),
    handlerCalls: series.counter('handler_calls_total', 'Calls of the handler.', ['listener']),
    handlerFailures: series.counter('handler_failures_total', 'Calls without an answer, by the reason.', [
      'listener',
      'reason',
    ]),
  };
  const targets = targetSeries(series);
  const workers = {
    workerCpu: series.counter('relay_worker_cpu_seconds_total', 'CPU time that the relay worker used.', [
      'worker',
    ]),
    workerMemory: series.gauge('relay_worker_resident_memory_bytes', 'Resident memory of the relay worker.', [
      'worker',
    ]),
  };

  function datagrams(listener: string, { received, sent, dropped }: DatagramStatus): void {
    all.datagrams.inc({ listener, direction: 'received' }, received);
    all.datagrams.inc({ listener, direction: 'sent' }, sent);
    for (const reason of datagramDrops) all.datagramsDropped.inc({ listener, reason }, dropped[reason] ?? 0);
  }

  return (status) => {
    for (const [worker, { cpuSeconds, memoryBytes }] of status.relayWorkers.entries()) {
      workers.workerCpu.inc({ worker: String(worker) }, cpuSeconds);
      workers.workerMemory.set({ worker: String(worker) }, memoryBytes);
    }
    for (const { name: listener, ...row } of status.listeners) {
      all.connections.inc({ listener }, row.connections.total);
      all.active.set({ listener }, row.connections.active);
      all.listening.set({ listener }, row.binds.every((bind) => bind.listening) ? 1 : 0);
      all.received.inc({ listener }, row.bytes.received);
      all.sent.inc({ listener }, row.bytes.sent);
      all.waiting.set({ listener }, row.waiting);
      if (row.datagrams) datagrams(listener, row.datagrams);
      all.panic.set({ listener }, row.panic ? 1 : 0);
      for (const [reason, count] of Object.entries(row.refused)) all.refused.inc({ listener, reason }, count);
      for (const [reason, count] of Object.entries(row.ended)) {
        if (!goodEnds.has(reason)) all.errors.inc({ listener, reason }, count);
      }
      for (const { serverName, expiresIn } of row.certificates) {
        all.certificateExpiry.set({ listener, server_name: serverName ?? '' }, expiresIn);
      }
      if (row.handler) {
        all.handlerQueue.set({ listener }, row.handler.queued);
        all.handlerRunning.set({ listener }, row.handler.running);
        all.handlerWaited.inc({ listener }, row.handler.waitedMs / 1000);
        all.handlerCalls.inc({ listener }, row.handler.calls);
        for (const [reason, count] of [
          ['failed', row.handler.failed],
          ['timeout', row.handler.timeouts],
          ['crash', row.handler.crashes],
        ] as const)
          all.handlerFailures.inc({ listener, reason }, count);
      }
      targets(listener, row.targets);
    }
  };
}

function targetSeries(series: Series) {
  const all = {
    targetConnections: series.counter('target_connections_total', 'Connections given to the target.', [
      'listener',
      'target',
    ]),
    targetActive: series.gauge('target_active_connections', 'Connections open to the target now.', [
      'listener',
      'target',
    ]),
    targetFailures: series.counter('target_failures_total', 'Connections that the target did not take.', [
      'listener',
      'target',
    ]),
    targetEjected: series.gauge(
      'target_ejected',
      'Whether the target is put aside for failing connections.',
      ['listener', 'target'],
    ),
    targetUp: series.gauge('target_up', 'Whether the target is fit: 1 unless down, ejected or draining.', [
      'listener',
      'target',
    ]),
  };
  return (listener: string, rows: DaemonStatus['listeners'][number]['targets']) => {
    for (const { id: target, ...is } of rows) {
      all.targetConnections.inc({ listener, target }, is.connections.total);
      all.targetActive.set({ listener, target }, is.connections.active);
      all.targetFailures.inc({ listener, target }, is.failures);
      const out = is.verdict === 'down' || is.draining || is.ejectedUntil !== null;
      all.targetUp.set({ listener, target }, out ? 0 : 1);
      all.targetEjected.set({ listener, target }, is.ejectedUntil === null ? 0 : 1);
    }
  };
}
