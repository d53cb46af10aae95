// What `who`, `why` and `free` can be asked about: ports, ranges, PIDs and names, as a person writes them.
import { addressesOverlap, canonicalAddress, familyOf } from '../core/address.ts';
import { type Protocol, splitHostPort, splitProtocol } from '../core/endpoint.ts';
import { ReeveError } from '../core/errors.ts';
import { type PortRange, parseRange } from '../core/range.ts';
import type { SocketRow } from '../system/index.ts';

/** Ports, narrowed by protocol and address where the text names them. */
export interface PortTarget {
  kind: 'ports';
  text: string;
  protocol: Protocol | null;
  host: string | null;
  range: PortRange;
}

export type Target =
  | PortTarget
  | { kind: 'pid'; text: string; pid: number }
  | { kind: 'name'; text: string; name: string };

const ports = '3000, :3000, 3000-3010, udp:53, 127.0.0.1:80, [::1]:8080';

/** @throws ReeveError `usage` that says what is accepted. */
export function parseTarget(text: string): Target {
  const trimmed = text.trim();
  const pid = /^pid:(.*)$/i.exec(trimmed);
  if (pid && !/^\d{1,10}$/.test(pid[1]!))
    throw new ReeveError('usage', `'${trimmed}' names no process: write its number, such as pid:123`);
  if (pid) return { kind: 'pid', text: trimmed, pid: Number(pid[1]) };
  const name = /^name:(.*)$/i.exec(trimmed);
  if (name?.[1] === '')
    throw new ReeveError('usage', `'${trimmed}' names no process: write a name, such as name:node`);
  if (name) return { kind: 'name', text: trimmed, name: name[1]!.toLowerCase() };
  try {
    return parsePortTarget(trimmed);
  } catch (error) {
    if (!(error instanceof ReeveError) || error.hint !== `Accepted: ${ports}`) throw error;
    throw new ReeveError(error.code, error.message, { hint: `Accepted: ${ports}, pid:123, name:node` });
  }
}

export function parsePortTarget(text: string): PortTarget {
  if (/^(pid|name):/i.test(text))
    throw new ReeveError('usage', `'${text}' is no port: only who takes processes`, {
      hint: `See its ports: reeve who ${text}`,
    });
  const explicit = /^(tcp|udp):/i.test(text);
  const { protocol, rest } = splitProtocol(text.trim());
  let split: { host: string | null; port: string };
  try {
    split = splitHostPort(rest);
    const host =
      split.host === null || split.host === 'localhost' ? split.host : canonicalAddress(split.host);
    return { kind: 'ports', text, protocol: explicit ? protocol : null, host, range: parseRange(split.port) };
  } catch (error) {
    if (error instanceof ReeveError && error.hint === null) {
      throw new ReeveError(error.code, error.message, { hint: `Accepted: ${ports}` });
    }
    throw error;
  }
}

/** Whether a socket takes what is sent to this address: bound to it, or to a wildcard that covers it. */
export function addressMatches(
  host: string | null,
  { family, address, v6only }: Pick<SocketRow, 'family' | 'address' | 'v6only'>,
): boolean {
  if (host === null) return true;
  // RFC 6761 §6.3: localhost is loopback, of either family.
  const asked = host === 'localhost' ? ['127.0.0.1', '::1'] : [host];
  const bound = { family, address, v6only: v6only ?? false };
  return asked.some((each) => {
    const wanted = familyOf(each.split('%')[0]!);
    return wanted !== null && addressesOverlap({ family: wanted, address: each, v6only: false }, bound);
  });
}
