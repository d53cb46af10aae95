// Which ports a scan asks: what was named, or the most frequent ones, less what was excluded.
import { ReeveError } from '../../core/errors.ts';
import { countPorts, inRanges, mergeRanges, type PortRange, parseRange, portsOf } from '../../core/range.ts';
import type { ScanMethod } from './scan.ts';
import { topPorts } from './top.ts';
import { portsOfService } from './wellknown.ts';

/** Reads `22,8000-8100` with names of services among them: `ssh,http,6000-6010`. @throws ReeveError `usage` */
export function parsePorts(text: string, method: ScanMethod = 'connect'): PortRange[] {
  return mergeRanges(text.split(',').flatMap((part) => parsePart(part.trim(), method)));
}

function parsePart(part: string, method: ScanMethod): PortRange[] {
  if (!/^[a-z]/i.test(part)) return [parseRange(part)];
  const protocol = method === 'udp' ? 'udp' : 'tcp';
  const ports = portsOfService(part, protocol);
  if (ports.length > 0) return ports.map((port) => ({ first: port, last: port }));
  throw new ReeveError(
    'usage',
    `'${part}' is no service with a usual ${protocol} port: write the port's number`,
  );
}

export interface Selection {
  ports?: string;
  top?: 100 | 1000;
  exclude?: string;
}

/** Ports 1 to 1024 where nothing is named. @throws ReeveError `usage` where nothing is left. */
export function selectPorts({ ports, top, exclude }: Selection, method: ScanMethod): PortRange[] {
  const named = [
    ...(ports === undefined ? [] : parsePorts(ports, method)),
    ...(top === undefined ? [] : topPorts(top)),
  ];
  const wanted = named.length > 0 ? mergeRanges(named) : [{ first: 1, last: 1024 }];
  if (exclude === undefined) return wanted;
  const excluded = parsePorts(exclude, method);
  const left = [...portsOf(wanted)].filter((port) => !inRanges(excluded, port));
  if (left.length > 0) return mergeRanges(left.map((port) => ({ first: port, last: port })));
  throw new ReeveError('usage', `no port is left to scan: --exclude names all ${countPorts(wanted)}`);
}
