// Instances of services, what the registry knows of them, and sinks, of the status.
import { dropReasons } from '../../sinks/index.ts';
import { instanceStates } from '../../supervise/index.ts';
import type { DaemonStatus } from '../status.ts';
import type { Series } from './series.ts';

export function serviceSeries(series: Series): (status: DaemonStatus) => void {
  const all = {
    instanceUp: series.gauge('instance_up', 'Whether the instance is up.', ['service', 'instance']),
    instanceState: series.gauge(
      'instance_state',
      'State of the instance: 1 for the one that it is in, else 0.',
      ['service', 'instance', 'state'],
    ),
    restarts: series.counter('restarts_total', 'Instances started again, by the reason.', [
      'service',
      'reason',
    ]),
  };
  return (status) => {
    for (const { name: service, instances, restarts } of status.services) {
      for (const [reason, count] of Object.entries(restarts)) all.restarts.inc({ service, reason }, count);
      for (const { id: instance, state: now } of instances) {
        all.instanceUp.set({ service, instance }, now === 'up' ? 1 : 0);
        for (const state of instanceStates) {
          all.instanceState.set({ service, instance, state }, state === now ? 1 : 0);
        }
      }
    }
  };
}

export function registrySeries(series: Series): (status: DaemonStatus) => void {
  const all = {
    registryUp: series.gauge('registry_up', 'Whether the registry answers and takes what it is told.', [
      'kind',
    ]),
    registryFailures: series.counter('registry_failures_total', 'Requests to the registry that failed.', [
      'kind',
    ]),
    registryAnnounced: series.gauge('registry_announced', 'Instances announced, by what was told of them.', [
      'service',
      'standing',
    ]),
    registryFound: series.gauge('registry_found', 'Passing instances of a service that is followed.', [
      'service',
    ]),
    registryStale: series.gauge('registry_stale', 'Whether that list may be out of date.', ['service']),
  };
  return ({ registry: { kind, state, failures, announced, watches } }) => {
    all.registryUp.set({ kind }, state === 'ok' ? 1 : 0);
    all.registryFailures.inc({ kind }, failures);
    for (const { service, standing } of announced) all.registryAnnounced.inc({ service, standing });
    for (const { service, instances, stale } of watches) {
      all.registryFound.set({ service }, instances);
      all.registryStale.set({ service }, stale === null ? 0 : 1);
    }
  };
}

export function sinkSeries(series: Series): (status: DaemonStatus) => void {
  const all = {
    sinkRecords: series.counter('sink_records_total', 'Records that the sink delivered.', ['sink']),
    sinkBytes: series.counter('sink_bytes_total', 'Bytes that the sink delivered.', ['sink']),
    sinkAccepted: series.counter('sink_accepted_total', 'Records that the sink took over.', ['sink']),
    sinkUp: series.gauge('sink_up', 'Whether the sink can write: 0 while its listeners read no further.', [
      'sink',
    ]),
    sinkFailures: series.counter('sink_failures_total', 'How often the sink began to fail.', ['sink']),
    sinkSpooled: series.gauge('sink_spooled_records', 'Records that wait on disk to be delivered.', ['sink']),
    sinkDropped: series.counter('sink_dropped_total', 'Records received and not delivered, by the reason.', [
      'sink',
      'reason',
    ]),
  };
  return (status) => {
    for (const { name: sink, ...is } of status.sinks) {
      all.sinkRecords.inc({ sink }, is.delivered);
      all.sinkBytes.inc({ sink }, is.bytes);
      all.sinkAccepted.inc({ sink }, is.accepted);
      all.sinkUp.set({ sink }, is.failure === null ? 1 : 0);
      all.sinkFailures.inc({ sink }, is.failures);
      all.sinkSpooled.set({ sink }, is.spooled);
      for (const reason of dropReasons) all.sinkDropped.inc({ sink, reason }, is.dropped[reason] ?? 0);
    }
  };
}
