// The passing instances of a service in the registry as targets, followed live.
import type { BalanceConfig } from '../config/index.ts';
import { formatHostPort } from '../core/endpoint.ts';
import type { FoundInstance, Registry } from '../registry/index.ts';
import type { TargetSource } from './targets.ts';

/** What a catalog may hand out; a picker has to look through all of them. */
const most = 1000;

/** The last good list stays while the registry gives none. */
export function registryTargets(
  registry: Registry,
  { service = '', port, tags, datacenter, maxPerTarget }: BalanceConfig,
  changed: () => void,
  isFrozen: () => boolean,
): TargetSource {
  const portOf = (instance: FoundInstance) => (port === undefined ? instance.port : instance.ports[port]);
  const query = { service, ...(tags ? { tags } : {}), ...(datacenter ? { datacenter } : {}) };
  let instances: readonly FoundInstance[] = [];
  const watch = registry.watch(query, (found) => {
    // Once this daemon has taken its own out, what it still accepts goes where it went before.
    if (isFrozen()) return;
    instances = found.instances;
    changed();
  });
  const rows = () => {
    const all = instances.flatMap((instance) => {
      const number = portOf(instance);
      if (number === undefined) return [];
      return [{ instance, port: number, id: formatHostPort(instance.host, number) }];
    });
    return [...new Map(all.map((row) => [row.id, row])).values()].slice(0, most);
  };
  return {
    list: () =>
      rows().map(({ id, port: number, instance }) => ({
        ...{ id, host: instance.host, port: number, weight: 1, backup: false },
        ...{ verdict: 'up', draining: false, max: maxPerTarget ?? null, here: true },
      })),
    instanceOf: (id) => rows().find((row) => row.id === id)?.instance.id ?? null,
    close: () => watch.close(),
  };
}
