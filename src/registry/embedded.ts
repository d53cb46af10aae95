// The registry within the daemon: services of this machine, in memory. Whoever runs them knows how they are.
import type { Context } from '../core/context.ts';
import type { Announcement, Found, FoundInstance, Query, Registry, Standing, Watch } from './registry.ts';

interface Entry {
  announcement: Announcement;
  standing: Standing;
  reason: string;
}

/** Where an announcement names no address. */
const thisMachine = '127.0.0.1';

export function createEmbeddedRegistry({ clock }: Pick<Context, 'clock'>): Registry {
  const entries = new Map<string, Entry>();
  const watches = new Map<Watch, () => void>();
  const since = clock.wall();
  const tell = () => {
    for (const look of [...watches.values()]) look();
  };
  const matching = (query: Query): FoundInstance[] =>
    [...entries.values()].filter((entry) => matches(entry, query)).map(foundOf);

  return {
    announce(announcement) {
      const { id } = announcement;
      const entry: Entry = { announcement, standing: 'fail', reason: 'not looked at yet' };
      entries.set(id, entry);
      tell();
      return {
        id,
        report(standing, reason) {
          const changed = entry.standing !== standing;
          Object.assign(entry, { standing, reason });
          if (changed && entries.get(id) === entry) tell();
        },
        async withdraw() {
          if (entries.get(id) !== entry) return;
          entries.delete(id);
          tell();
        },
      };
    },
    watch(query, changed) {
      let found: Found = { instances: matching(query), asOf: clock.wall(), stale: null };
      const watch: Watch = {
        query,
        get found() {
          return found;
        },
        close: () => void watches.delete(watch),
      };
      const look = () => {
        const instances = matching(query);
        if (JSON.stringify(instances) === JSON.stringify(found.instances)) return;
        found = { instances, asOf: clock.wall(), stale: null };
        changed(found);
      };
      watches.set(watch, look);
      queueMicrotask(() => watches.has(watch) && changed(found));
      return watch;
    },
    find: async (query) => matching(query),
    async services() {
      const tags = new Map<string, Set<string>>();
      for (const {
        announcement: { service, tags: own },
      } of entries.values())
        tags.set(service, new Set([...(tags.get(service) ?? []), ...own]));
      return [...tags].map(([service, of]) => ({ service, tags: [...of].sort() }));
    },
    status: () => ({
      ...{ kind: 'embedded', address: null, state: 'ok', detail: null, since, failures: 0 },
      announced: [...entries].map(([id, { announcement, standing, reason }]) => ({
        ...{ id, service: announcement.service, port: announcement.port, standing, reason, inStep: true },
      })),
      watches: [...watches.keys()].map(({ query, found }) => ({
        ...{ service: query.service, instances: found.instances.length, asOf: found.asOf, stale: null },
      })),
    }),
    async close() {
      watches.clear();
      entries.clear();
    },
  };
}

function matches({ announcement, standing }: Entry, { service, tags = [], all = false }: Query): boolean {
  if (announcement.service !== service || (!all && standing !== 'pass')) return false;
  return tags.every((tag) => announcement.tags.includes(tag));
}

function foundOf({ announcement, standing, reason }: Entry): FoundInstance {
  const { id, service, address, port, ports, tags, meta } = announcement;
  return {
    ...{ id, service, host: address ?? thisMachine, port, ports: { ...ports } },
    ...{ tags: [...tags], meta: { ...meta }, standing, reason, node: null, datacenter: null },
  };
}
