// Settings of this Windows that decide what may be bound: excluded ranges, dynamic ports, elevation, addresses.
import { networkInterfaces, userInfo } from 'node:os';
import { mergeRanges } from '../../core/range.ts';
import { win } from '../../ffi/index.ts';
import type { Host, HostFacts } from '../system.ts';
import { isElevated } from './accounts.ts';
import { type Firewall, firewallKeys, judge, parseFirewall } from './firewall.ts';
import { imagePath, withProcess } from './handles.ts';
import { parseDynamicPorts, parseExcludedRanges } from './netsh.ts';
import { netsh, systemProgram } from './run-netsh.ts';

type Ranges = Pick<HostFacts, 'ephemeral' | 'reserved' | 'excluded'>;

/** They change when a service that reserves ports starts; and four programs are run to learn them. */
const keptMs = 10_000;

export function createHost(now: () => number, run = netsh): Host {
  const readFirewall = createFirewall(now);
  let asked: Promise<Ranges> | null = null;
  let askedAt = 0;
  return {
    async facts() {
      if (!asked || now() - askedAt > keptMs) {
        asked = readRanges(run);
        askedAt = now();
      }
      const addresses = Object.entries(networkInterfaces()).flatMap(([name, all]) =>
        (all ?? []).map(({ address }) => ({ address, interface: name })),
      );
      const hasIpv6 = addresses.some(({ address }) => address.includes(':'));
      return {
        user: { uid: null, name: userInfo().username, elevated: isElevated() },
        ...(await asked),
        // Windows has no privileged ports.
        unprivilegedFrom: 0,
        mayBindPrivileged: true,
        ipv6: {
          available: hasIpv6,
          // Of a socket that says nothing; Node says that it takes both (winsock's default, ws2ipdef.h).
          v6onlyDefault: true,
          reason: hasIpv6 ? null : 'no network interface has an IPv6 address',
        },
        descriptors: { open: null, soft: null, hard: null },
        addresses,
      };
    },
    async firewall({ protocol, port, pid }) {
      const access = win.PROCESS_QUERY_LIMITED_INFORMATION;
      const program = pid === null ? null : withProcess(pid, access, imagePath);
      return judge(await readFirewall(), { protocol, port, program });
    },
  };
}

async function readRanges(run: typeof netsh): Promise<Ranges> {
  const excludedOf = (family: string, protocol: string) =>
    run('int', family, 'show', 'excludedportrange', `protocol=${protocol}`).then(parseExcludedRanges);
  const [dynamic, tcp4, tcp6, udp4] = await Promise.all([
    run('int', 'ipv4', 'show', 'dynamicport', 'tcp').then(parseDynamicPorts),
    excludedOf('ipv4', 'tcp'),
    excludedOf('ipv6', 'tcp'),
    excludedOf('ipv4', 'udp'),
  ]);
  const tcp = mergeRanges([...tcp4.excluded, ...tcp6.excluded]);
  return {
    ephemeral: dynamic,
    reserved: mergeRanges([...tcp4.administered, ...tcp6.administered]),
    excluded: [
      ...tcp.map((range) => ({ ...range, protocol: 'tcp' as const })),
      ...udp4.excluded.map((range) => ({ ...range, protocol: 'udp' as const })),
    ],
  };
}

/** A query of the registry takes a fraction of a second, and doctor asks for each listener. */
function createFirewall(now: () => number): () => Promise<Firewall> {
  let asked: Promise<Firewall> | null = null;
  let askedAt = 0;
  return () => {
    if (!asked || now() - askedAt > keptMs) {
      const texts = firewallKeys.map((key) => systemProgram('reg.exe', ['query', key, '/s']));
      asked = Promise.all(texts).then((parts) => parseFirewall(parts.join('\n'), process.env));
      askedAt = now();
    }
    return asked;
  };
}
