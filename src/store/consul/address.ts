// Where a Consul is, as commands are told: an address, and the environment variables that Consul's own tools read.
import { ReeveError } from '../../core/errors.ts';
import type { ConsulSettings } from './client.ts';

/** `http://127.0.0.1:8500`, with the prefix of leases as its path where there is one. */
export interface ConsulPlace extends ConsulSettings {
  prefix?: string;
}

export const isConsulUrl = (text: string): boolean => /^https?:\/\//.test(text);

/** @throws ReeveError `usage` */
export function consulPlace(text: string, env: NodeJS.ProcessEnv): ConsulPlace {
  const url = isConsulUrl(text) && URL.canParse(text) ? new URL(text) : null;
  const prefix = url?.pathname.replace(/^\/+|\/+$/g, '') ?? '';
  if (!url || url.search || url.hash || url.username || !/^[A-Za-z0-9_./-]*$/.test(prefix)) {
    throw new ReeveError('usage', `'${text}' is no address of Consul: write http://127.0.0.1:8500`, {
      hint: 'A path is the prefix of leases: http://127.0.0.1:8500/team. A token comes from CONSUL_HTTP_TOKEN',
    });
  }
  const token = env.CONSUL_HTTP_TOKEN || undefined;
  return {
    address: url.origin,
    ...(prefix === '' ? {} : { prefix }),
    ...(token === undefined ? { tokenFile: env.CONSUL_HTTP_TOKEN_FILE || undefined } : { token }),
    ca: env.CONSUL_CACERT || undefined,
    cert: env.CONSUL_CLIENT_CERT || undefined,
    key: env.CONSUL_CLIENT_KEY || undefined,
  };
}
