// Door of dial/: the client side of a service.
import type { Response } from 'undici';
import type { Context } from '../core/context.ts';
import { openRegistry, type Registry } from '../registry/index.ts';
import { Dialer } from './dialer.ts';
import { type FixedTarget, fixedPlaces, foundPlaces } from './places.ts';
import { type FallbackRules, type RuleOptions, settleRules } from './rules.ts';

export type { Counters, TargetStatus } from './counters.ts';
export type { Dialer, UseOptions } from './dialer.ts';
export type { DialEvent, DialEvents } from './events.ts';
export type { FixedTarget } from './places.ts';
export type { DialTls } from './rules.ts';

export interface DialOptions extends Omit<RuleOptions, 'fallback'> {
  /** Fixed, in place of a registry. */
  targets?: readonly (string | FixedTarget)[];
  /** Address of Consul. Default: `REEVE_REGISTRY`, `CONSUL_HTTP_ADDR`, else the agent of this machine. */
  registry?: string;
  /** All of them must be there. */
  tags?: string[];
  datacenter?: string;
  /** Nearest first, to this node; `_agent` for the one that is asked. */
  near?: string;
  /** Which of an instance's ports; its main one where absent. */
  port?: string;
  fallback?: Partial<FallbackRules> & {
    /** What stands in for an HTTP answer where none is kept. */
    otherwise?: (path: string) => Response | Promise<Response>;
  };
}

/** The part of a registry that is needed here. */
export type FindInstances = Pick<Registry, 'find' | 'close'>;

/** Nothing is asked until it is used. @throws ReeveError `usage` for an option that cannot be. */
export function createDialer(
  name: string,
  options: DialOptions,
  env: NodeJS.ProcessEnv,
  context: Context,
  given?: FindInstances,
): Dialer {
  const { targets, registry: address, tags, datacenter, near, port, fallback = {}, ...rest } = options;
  const { otherwise, ...keeping } = fallback;
  const rules = settleRules({ ...rest, fallback: keeping });
  const parts = { name, rules, context, otherwise };
  if (targets)
    return new Dialer({ ...parts, places: fixedPlaces(targets, rules.pool.max), close: async () => {} });
  const registry = given ?? openRegistry(address, env, context);
  const query = {
    service: name,
    ...(tags && { tags }),
    ...(datacenter !== undefined && { datacenter }),
    ...(near !== undefined && { near }),
  };
  const places = foundPlaces(registry, { query, port, max: rules.pool.max, clock: context.clock });
  return new Dialer({ ...parts, places, close: () => registry.close() });
}
