// Opens the registry that a command or a program names: a Consul, by its address or by the environment.
import type { Context } from '../core/context.ts';
import { consulPlace } from '../store/index.ts';
import { createConsulRegistry } from './consul.ts';
import type { Registry } from './registry.ts';

/** Where Consul's agent listens unless told otherwise. */
const usual = 'http://127.0.0.1:8500';

/**
 * By `address`, else by `REEVE_REGISTRY`, else by `CONSUL_HTTP_ADDR` (also without http://), else on this machine.
 * @throws ReeveError `usage` for an address that is none.
 */
export function openRegistry(
  address: string | undefined,
  env: NodeJS.ProcessEnv,
  context: Context,
): Registry {
  const named = address || env.REEVE_REGISTRY || env.CONSUL_HTTP_ADDR || usual;
  const url = /^[a-z]+:\/\//i.test(named) ? named : `http://${named}`;
  return createConsulRegistry(consulPlace(url, env), context);
}
