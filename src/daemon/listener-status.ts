// One running listener: what belongs to it, and how the status shows it.

import type { ListenerConfig } from '../config/index.ts';
import { formatHostPort } from '../core/endpoint.ts';
import type { EngineListener, Target } from '../relay/index.ts';
import type { Held } from './bindings.ts';
import type { Choice } from './engines.ts';
import type { CertificateStatus, ListenerStatus } from './status.ts';
import type { TargetSource } from './targets.ts';
import type { Traffic } from './traffic.ts';

/** A listener as it runs. */
export interface Row {
  name: string;
  config: ListenerConfig;
  binds: Held[];
  source: TargetSource | null;
  /** Targets (`host:port`) that a person drains. */
  drained: Set<string>;
  engine: EngineListener;
  /** What `engine` belongs to, and why that was chosen. */
  carrier: Choice;
  /** What it served with before its addresses changed, until the last connection there has ended. */
  before: Set<EngineListener>;
  traffic: Traffic;
}

export function listenerStatus(
  row: Row,
  targets: Target[],
  certificates: CertificateStatus[],
): ListenerStatus {
  const { name, config, traffic, before } = row;
  const { balance, sink } = config;
  const counters = new Map(row.engine.targets().map((target) => [target.id, target]));
  const draining = [...before].reduce((sum, each) => sum + each.active(), 0);
  return {
    name,
    engine: row.carrier.engine.name,
    engineReason: row.carrier.why,
    serves: sink !== undefined ? `sink/${sink}` : balance?.service ? `service/${balance.service}` : 'targets',
    binds: row.binds.map(({ asked, binding }) => ({
      asked: formatHostPort(asked.host, asked.port),
      address: formatHostPort(binding.address, binding.port),
      listening: binding.listening(),
      verified: binding.verified,
    })),
    connections: { active: row.engine.active() + draining, total: traffic.totals.connections },
    bytes: { received: traffic.totals.received, sent: traffic.totals.sent },
    refused: { ...traffic.totals.refused },
    ended: { ...traffic.totals.ended },
    latency: traffic.latency(),
    certificates,
    targets: targets.map(({ id, verdict, draining, weight, backup }) => {
      const { active = 0, total = 0, failures = 0 } = counters.get(id) ?? {};
      const instance = row.source?.instanceOf(id) ?? null;
      return { id, instance, verdict, draining, weight, backup, connections: { active, total }, failures };
    }),
  };
}
