// choose: a port from a range that nobody has, on either family and for both protocols.
import { ReeveError } from '../core/errors.ts';
import { formatRange, inRange, inRanges, type PortRange, portsOf } from '../core/range.ts';
import type { HostFacts, System } from '../system/index.ts';

export interface ChooseOptions {
  range: PortRange;
  /** Ports that are spoken for, though nobody may have bound them yet. */
  taken: ReadonlySet<number>;
  exclude?: readonly number[];
  /** Tried first, so that a program keeps its port. */
  preferred?: number;
}

/**
 * The lowest suitable port of the range. A port that the system gives to outgoing connections is passed over:
 * one of those could take it before the program binds it.
 * @throws ReeveError `conflict` when the range has none left.
 */
export async function choosePort(system: System, options: ChooseOptions): Promise<number> {
  const { range, taken, exclude = [], preferred } = options;
  const host = await system.host.facts();
  if (preferred !== undefined && !taken.has(preferred) && (await isFree(system, host, preferred, true)))
    return preferred;
  const unsuitable = (port: number) =>
    taken.has(port) ||
    exclude.includes(port) ||
    inRanges(host.excluded, port) ||
    inRanges(host.reserved, port) ||
    (host.ephemeral !== null && inRange(host.ephemeral, port));
  for (const port of portsOf([range])) {
    if (!unsuitable(port) && (await isFree(system, host, port, false))) return port;
  }
  throw new ReeveError('conflict', `no port of ${formatRange(range)} is free`, {
    hint: 'Widen ports.range, outside of the ephemeral range (reeve doctor shows it)',
  });
}

/** Without `reuse`, also a port with remains of connections, or a parked one, is somebody's. */
async function isFree(system: System, { ipv6 }: HostFacts, port: number, reuse: boolean): Promise<boolean> {
  for (const protocol of ['tcp', 'udp'] as const) {
    for (const address of ipv6.available ? ['0.0.0.0', '::'] : ['0.0.0.0']) {
      // SO_REUSEADDR on UDP would let two receivers share the port.
      const request = {
        protocol,
        address,
        port,
        reuse: reuse && protocol === 'tcp',
        v6only: address === '::',
      };
      if (!(await system.binder.attempt(request)).ok) return false;
    }
  }
  return true;
}
