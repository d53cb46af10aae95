// The targets of a listener that routes by server name: its own, and those of each name.
import type { ListenerConfig } from '../config/index.ts';
import type { TargetSource } from './targets.ts';

/** `open` makes the source of one destination. Null where there is nothing to balance. */
export function routedTargets(
  { balance, tls }: ListenerConfig,
  open: (balance: NonNullable<ListenerConfig['balance']>) => TargetSource,
): TargetSource | null {
  if (!balance) return null;
  const main = open(balance);
  const routes = new Map<string, TargetSource>();
  for (const [serverName, { service, port, targets }] of Object.entries(tls?.sni ?? {})) {
    if (service === undefined && targets === undefined) continue;
    routes.set(serverName, open({ ...balance, service, port, targets }));
  }
  if (routes.size === 0) return main;
  const all = [main, ...routes.values()];
  return {
    list(route) {
      if (route !== undefined) return (route === null ? main : routes.get(route))?.list() ?? [];
      const targets = all.flatMap((source) => source.list());
      return [...new Map(targets.map((target) => [target.id, target])).values()];
    },
    routes: [...routes.keys()],
    instanceOf: (id) => all.map((source) => source.instanceOf(id)).find((name) => name !== null) ?? null,
    close() {
      for (const source of all) source.close();
    },
  };
}
