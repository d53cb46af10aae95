// One running listener: what belongs to it, and how the status shows it.

import path from 'node:path';
import type { ListenerConfig } from '../config/index.ts';
import { formatAddress } from '../core/endpoint.ts';
import type { HandlerCounters } from '../listen/index.ts';
import type { EngineListener } from '../relay/index.ts';
import { addressOf, type Held } from './bindings.ts';
import type { Choice } from './engines.ts';
import type { Standings } from './standing.ts';
import type { CertificateStatus, ListenerStatus } from './status.ts';
import type { TargetSource } from './targets.ts';
import type { Traffic } from './traffic.ts';

/** A listener as it runs. */
export interface Row {
  name: string;
  config: ListenerConfig;
  binds: Held[];
  source: TargetSource | null;
  /** Outlives changes of the configuration: what is known of a target stays. */
  standings: Standings;
  engine: EngineListener;
  /** What `engine` belongs to, and why that was chosen. */
  carrier: Choice;
  /** What it served with before its addresses changed, until the last connection there has ended. */
  before: Set<EngineListener>;
  traffic: Traffic;
}

export function listenerStatus(
  row: Row,
  certificates: CertificateStatus[],
  handler: HandlerCounters | null,
): ListenerStatus {
  const { name, config, traffic, before } = row;
  const { balance, sink } = config;
  const serves = config.handler && `handler/${path.basename(config.handler.file)}`;
  const counters = new Map(row.engine.targets().map((target) => [target.id, target]));
  const draining = [...before].reduce((sum, each) => sum + each.active(), 0);
  return {
    name,
    engine: row.carrier.engine.name,
    engineReason: row.carrier.why,
    serves:
      serves ??
      (sink !== undefined ? `sink/${sink}` : balance?.service ? `service/${balance.service}` : 'targets'),
    handler,
    binds: row.binds.map(({ asked, binding }) => ({
      asked: formatAddress(asked),
      address: addressOf(binding),
      listening: binding.listening(),
      verified: binding.verified,
    })),
    connections: { active: row.engine.active() + draining, total: traffic.totals.connections },
    bytes: { received: traffic.totals.received, sent: traffic.totals.sent },
    datagrams: row.binds.some(({ asked }) => asked.protocol === 'udp') ? traffic.datagrams() : null,
    refused: { ...traffic.totals.refused },
    ended: { ...traffic.totals.ended },
    latency: traffic.latency(),
    certificates,
    panic: row.standings.panic,
    waiting: row.engine.waiting(),
    targets: row.standings.view(row.source?.list() ?? []).map((target) => {
      const { id, verdict, draining, backup, max, fullWeight, weight, ejections, ejectedUntil } = target;
      const { active = 0, total = 0, failures = 0 } = counters.get(id) ?? {};
      return {
        id,
        instance: row.source?.instanceOf(id) ?? null,
        verdict,
        draining,
        weight: fullWeight,
        effectiveWeight: weight,
        backup,
        max,
        ejectedUntil: ejectedUntil === null ? null : wallTime(ejectedUntil),
        ejections,
        connections: { active, total },
        failures,
      };
    }),
  };
}

/** A monotonic time for a person. */
function wallTime(monotonic: number): string {
  return new Date(Date.now() + monotonic - performance.now()).toISOString();
}
