// The PROXY header that a target gets: what a proxy before us has told is passed on, otherwise the connection's own ends. No I/O.
import { familyOf, unmapped } from '../core/address.ts';
import type { HostAndPort, ProxyEnds, ProxyHeader, ProxyVersion } from './proxy-header.ts';
import { writeProxyHeader } from './proxy-protocol.ts';

/** A connection's own two ends. */
export interface OwnEnds {
  client: HostAndPort;
  local: HostAndPort;
}

export function announce(version: ProxyVersion, own: OwnEnds, heard: ProxyHeader | null): Buffer {
  // A proxy that speaks for itself, or does not know: so do we.
  if (heard && (heard.command === 'local' || !heard.ends)) return writeProxyHeader(version, heard);
  const header = heard ?? { command: 'proxy', ends: endsOf(own), tlvs: [], checksum: false };
  return writeProxyHeader(version, header);
}

/** Both in one family, as the protocol wants it: a dual-stack socket shows IPv4 peers as `::ffff:`. */
function endsOf({ client, local }: OwnEnds): ProxyEnds {
  const [source, destination] = [client, local].map(({ address, port }) => ({
    address: unmapped(address).split('%')[0]!,
    port,
  })) as [HostAndPort, HostAndPort];
  const family =
    familyOf(source.address) === 'ipv4' && familyOf(destination.address) === 'ipv4' ? 'ipv4' : 'ipv6';
  const inFamily = ({ address, port }: HostAndPort) => ({
    address: family === 'ipv6' && familyOf(address) === 'ipv4' ? `::ffff:${address}` : address,
    port,
  });
  return { family, transport: 'stream', source: inFamily(source), destination: inFamily(destination) };
}
