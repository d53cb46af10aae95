// One running listener as the status shows it.
import { formatHostPort } from '../core/endpoint.ts';
import type { Target } from '../relay/index.ts';
import type { Row } from './listeners.ts';
import type { ListenerStatus } from './status.ts';

export function listenerStatus(row: Row, engine: string, targets: Target[]): ListenerStatus {
  const { name, config, traffic, before } = row;
  const { balance, sink } = config;
  const counters = new Map(row.engine.targets().map((target) => [target.id, target]));
  const draining = [...before].reduce((sum, each) => sum + each.active(), 0);
  return {
    name,
    engine,
    serves: sink !== undefined ? `sink/${sink}` : balance?.service ? `service/${balance.service}` : 'targets',
    binds: row.binds.map(({ binding }) => ({
      asked: formatHostPort(binding.endpoint.host, binding.endpoint.port),
      address: formatHostPort(binding.address, binding.port),
      listening: binding.listening(),
      verified: binding.verified,
    })),
    connections: { active: row.engine.active() + draining, total: traffic.totals.connections },
    bytes: { received: traffic.totals.received, sent: traffic.totals.sent },
    refused: { ...traffic.totals.refused },
    ended: { ...traffic.totals.ended },
    targets: targets.map(({ id, verdict, draining, weight, backup }) => {
      const { active = 0, total = 0, failures = 0 } = counters.get(id) ?? {};
      const instance = row.source?.instanceOf(id) ?? null;
      return { id, instance, verdict, draining, weight, backup, connections: { active, total }, failures };
    }),
  };
}
