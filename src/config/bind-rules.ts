// No address is wanted twice: by two listeners, by a listener and the control API, or by two services.
import { addressesOverlap, type BindAddress, familyOf } from '../core/address.ts';
import { type Endpoint, formatAddress, parseEndpoint } from '../core/endpoint.ts';
import type { Fault, Path } from './problems.ts';
import { isText, section, sections } from './raw.ts';
import { defaultListen } from './schema.ts';

interface Bind extends Endpoint {
  path: Path;
  /** Who wants it, for the message of the other. */
  by: string;
  v6only: boolean;
}

export function bindRules(root: unknown): Fault[] {
  return [...repeatedBinds([...controlBind(root), ...listenerBinds(root)]), ...repeatedPorts(root)];
}

/** In the order of the file, after the control API: the later one is told about the earlier. */
function repeatedBinds(binds: Bind[]): Fault[] {
  const faults: Fault[] = [];
  const byPort = new Map<string, Bind[]>();
  for (const bind of binds) {
    const key = `${bind.protocol} ${bind.port}`;
    const before = byPort.get(key) ?? [];
    const other = before.find((earlier) => overlap(earlier, bind));
    if (other) faults.push({ path: bind.path, message: taken(bind, other) });
    byPort.set(key, [...before, bind]);
  }
  return faults;
}

function taken(bind: Bind, other: Bind): string {
  const theirs = formatAddress(other);
  const mine = formatAddress(bind);
  if (mine === theirs) return `${mine} is taken by ${other.by} already`;
  const dual = [bind, other].find(({ host, v6only }) => host === '::' && !v6only);
  const help = dual ? ': [::] takes IPv4 as well, unless v6only is true' : '';
  return `${mine} overlaps with ${theirs} of ${other.by}${help}`;
}

function overlap(a: Bind, b: Bind): boolean {
  const [left, right] = [asAddress(a), asAddress(b)];
  return left && right ? addressesOverlap(left, right) : a.host.toLowerCase() === b.host.toLowerCase();
}

function asAddress({ host, v6only }: Bind): BindAddress | null {
  const family = familyOf(host);
  return family && { family, address: host, v6only };
}

function controlBind(root: unknown): Bind[] {
  const endpoint = endpointOf(section(section(root).control).listen ?? defaultListen);
  return endpoint && endpoint.port > 0
    ? [{ path: ['control', 'listen'], by: 'the control API', v6only: false, ...endpoint }]
    : [];
}

function listenerBinds(root: unknown): Bind[] {
  return sections(root, 'listeners').flatMap(([name, { bind, v6only }]) =>
    (Array.isArray(bind) ? bind : []).flatMap((text: unknown, i): Bind[] => {
      const endpoint = endpointOf(text);
      if (!endpoint || endpoint.port === 0) return [];
      const path = ['listeners', name, 'bind', i];
      return [{ path, by: `listener '${name}'`, v6only: v6only === true, ...endpoint }];
    }),
  );
}

/** Null for what the schema refuses anyway. */
function endpointOf(text: unknown): Endpoint | null {
  if (!isText(text)) return null;
  try {
    return parseEndpoint(text, { leastPort: 0 });
  } catch {
    return null;
  }
}

/** A fixed port serves one service. */
function repeatedPorts(root: unknown): Fault[] {
  const faults: Fault[] = [];
  const owners = new Map<number, string>();
  for (const [service, { ports }] of sections(root, 'services')) {
    for (const [name, port] of Object.entries(section(ports))) {
      if (typeof port !== 'number') continue;
      const owner = owners.get(port);
      const path = ['services', service, 'ports', name];
      if (owner !== undefined)
        faults.push({ path, message: `port ${port} is taken by service '${owner}' already` });
      else owners.set(port, service);
    }
  }
  return faults;
}
