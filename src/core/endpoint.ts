// An endpoint is protocol + host + port (`tcp://[::1]:8080`): its text forms, read and printed.
import { canonicalAddress, familyOf } from './address.ts';
import { ReeveError } from './errors.ts';

export type Protocol = 'tcp' | 'udp';

export interface Endpoint {
  protocol: Protocol;
  host: string;
  port: number;
}

export const maxPort = 65535;

/** A whole number from `least` (1; 0 where "any port" makes sense) to 65535. */
export function parsePort(text: string, least = 1): number {
  const port = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (port >= least && port <= maxPort) return port;
  throw new ReeveError(
    'usage',
    `'${text}' is not a port: a port is a whole number from ${least} to ${maxPort}`,
  );
}

/** Splits `udp:53`, `tcp://host:80`, `udp://…` into protocol and rest; tcp where none is named. */
export function splitProtocol(
  text: string,
  fallback: Protocol = 'tcp',
): { protocol: Protocol; rest: string } {
  const match = /^(tcp|udp):(?:\/\/)?(.+)$/i.exec(text);
  if (!match) return { protocol: fallback, rest: text };
  return { protocol: match[1]!.toLowerCase() as Protocol, rest: match[2]! };
}

/** Splits `host:port`, `[v6]:port`, `:port` and `port`; host is null where none is given. */
export function splitHostPort(text: string): { host: string | null; port: string } {
  const bracketed = /^\[([^\]]+)\]:(.+)$/.exec(text);
  if (bracketed) {
    if (familyOf(bracketed[1]!) !== 'ipv6') {
      throw new ReeveError('usage', `'${text}' is not an endpoint: only an IPv6 address goes in brackets`);
    }
    return { host: canonicalAddress(bracketed[1]!), port: bracketed[2]! };
  }
  const colon = text.lastIndexOf(':');
  if (colon < 0) return { host: null, port: text };
  const host = text.slice(0, colon);
  if (host.includes(':')) throw notAnEndpoint(text, host, text.slice(colon + 1));
  return { host: host === '' ? null : host === '*' ? '0.0.0.0' : host, port: text.slice(colon + 1) };
}

function notAnEndpoint(text: string, host: string, port: string): ReeveError {
  if (text.includes('://')) {
    return new ReeveError('usage', `'${text}' is not an endpoint: its protocol is tcp or udp`);
  }
  const bare = text.replace(/^\[(.*)\]$/, '$1');
  const meant = familyOf(host) === 'ipv6' ? `[${host}]:${port}` : `[${familyOf(bare) ? bare : '::1'}]:8080`;
  return new ReeveError('usage', `'${text}' is not an endpoint: an IPv6 address needs brackets and a port`, {
    hint: `Write ${meant}`,
  });
}

/** A name that a resolver may be asked for. Letters of any script: the resolver knows IDNA. */
function isHostName(host: string): boolean {
  // Digits and dots alone that are no IPv4 address: resolvers still read `10.1` as 10.0.0.1 (inet_aton(3)).
  return (
    host.length <= 253 &&
    /^[\p{L}\p{N}\p{M}_]([\p{L}\p{N}\p{M}_.-]*[\p{L}\p{N}\p{M}_.])?$/u.test(host) &&
    !/^[\d.]+$/.test(host)
  );
}

/**
 * Reads `8080`, `:8080`, `localhost:8080`, `[::1]:8080`, `udp:53`, `tcp://0.0.0.0:80`.
 * `host` stands in where the text names none; `leastPort` 0 admits "any free port".
 */
export function parseEndpoint(text: string, options: { host?: string; leastPort?: number } = {}): Endpoint {
  const { protocol, rest } = splitProtocol(text.trim());
  const { host, port } = splitHostPort(rest);
  const named = host ?? options.host;
  if (named === undefined) {
    const missing = /^\d+$/.test(port) ? 'host' : 'port';
    throw new ReeveError('usage', `'${text}' names no ${missing}: write host:port, such as 127.0.0.1:8080`);
  }
  if (familyOf(named) === null && !isHostName(named))
    throw new ReeveError('usage', `'${named}' is not a host name or an address`);
  return { protocol, host: named, port: parsePort(port, options.leastPort ?? 1) };
}

/** `127.0.0.1:80`, `[::1]:80`. */
export function formatHostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

export function formatEndpoint(endpoint: Endpoint): string {
  return `${endpoint.protocol}://${formatHostPort(endpoint.host, endpoint.port)}`;
}

/** As a listener's address is shown: the protocol where it is not TCP. */
export function formatAddress(endpoint: Endpoint): string {
  return endpoint.protocol === 'tcp'
    ? formatHostPort(endpoint.host, endpoint.port)
    : formatEndpoint(endpoint);
}
