// The registry in Consul: announces to the agent that is asked, finds what any agent of the cluster has announced.
import type { Context } from '../core/context.ts';
import { type ConsulSettings, connectConsul } from '../store/index.ts';
import { Announcer } from './consul-announcer.ts';
import { foundInstances, serviceSummaries } from './consul-shapes.ts';
import { healthPath, healthQuery, watchConsul } from './consul-watch.ts';
import { Link } from './link.ts';
import type { Registry, Watch } from './registry.ts';

export interface ConsulRegistryOptions extends ConsulSettings {
  /** Tells what a crash of the same announcer has left behind; null: nothing is cleaned up. */
  owner?: string | null;
  /** See AnnouncerOptions. */
  isAlone?: () => boolean;
  /** Consul itself forgets what has been critical for so long. Null: it never does. */
  deregisterCriticalAfterMs?: number | null;
}

export function createConsulRegistry(options: ConsulRegistryOptions, context: Context): Registry {
  const { owner = null, deregisterCriticalAfterMs = null } = options;
  const consul = connectConsul(options);
  const link = new Link(consul.address, context);
  const announcer = new Announcer({
    consul,
    link,
    context,
    owner,
    deregisterCriticalAfterMs,
    ...(options.isAlone && { isAlone: options.isAlone }),
  });
  const watches = new Set<Watch>();
  const announced = new Set<() => Promise<void>>();
  return {
    announce(announcement) {
      const one = announcer.announce(announcement);
      const withdraw = () => one.withdraw().finally(() => announced.delete(withdraw));
      announced.add(withdraw);
      return { ...one, withdraw };
    },
    watch(query, changed) {
      const watch = watchConsul(query, { consul, link, context }, changed);
      watches.add(watch);
      return {
        query,
        get found() {
          return watch.found;
        },
        close() {
          watches.delete(watch);
          watch.close();
        },
      };
    },
    async find(query, signal) {
      return foundInstances(
        (await consul.ask(healthPath(query), { query: healthQuery(query) }, signal)).body,
      );
    },
    services: async (signal) => serviceSummaries((await consul.ask('/v1/catalog/services', {}, signal)).body),
    status: () => ({
      ...{
        kind: 'consul',
        address: consul.address,
        state: link.state,
        detail: link.detail,
        since: link.since,
      },
      failures: link.failures,
      announced: announcer.status(),
      watches: [...watches].map(({ query, found }) => ({
        ...{ service: query.service, instances: found.instances.length },
        ...{ asOf: found.asOf, stale: found.stale },
      })),
    }),
    async close() {
      await Promise.all([...announced].map((withdraw) => withdraw()));
      await announcer.close();
      for (const watch of watches) watch.close();
      watches.clear();
      consul.close();
    },
  };
}
