// Settings of this Linux that decide what may be bound: sysctls, capabilities, limits, addresses.
import { readdirSync, readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { mergeRanges, type PortRange } from '../../core/range.ts';
import type { Host, HostFacts } from '../system.ts';
import { parseCapabilities } from './proc.ts';
import type { UserName } from './users.ts';

/** Bits of capabilities(7). */
const capability = { dacReadSearch: 2n, netBindService: 10n, sysPtrace: 19n } as const;

export function createHost(userName: UserName): Host {
  return {
    async facts() {
      const held = parseCapabilities(read('/proc/self/status') ?? '');
      const has = (bit: bigint) => ((held >> bit) & 1n) === 1n;
      const uid = process.geteuid?.() ?? null;
      return {
        user: {
          uid,
          name: uid === null ? '' : await userName(uid),
          // What root has over others here is looking into every process's descriptors.
          elevated: uid === 0 || (has(capability.sysPtrace) && has(capability.dacReadSearch)),
        },
        ephemeral: parseLocalRange(sysctl('ipv4/ip_local_port_range') ?? ''),
        reserved: parseReserved(sysctl('ipv4/ip_local_reserved_ports') ?? ''),
        excluded: [],
        // Linux before 4.11 has no such sysctl: the border was fixed.
        unprivilegedFrom: Number(sysctl('ipv4/ip_unprivileged_port_start')?.trim() || 1024),
        mayBindPrivileged: has(capability.netBindService),
        ipv6: readIpv6(),
        descriptors: { open: countDescriptors(), ...parseOpenFiles(read('/proc/self/limits') ?? '') },
        addresses: listAddresses(),
      };
    },
  };
}

/** `32768\t60999`. */
export function parseLocalRange(text: string): PortRange | null {
  const match = /^(\d+)\s+(\d+)\s*$/.exec(text);
  return match ? { first: Number(match[1]), last: Number(match[2]) } : null;
}

/** `8080,9148-9200`, or an empty line; unlike what users write, port 0 may be among them. */
export function parseReserved(text: string): PortRange[] {
  const ranges = text.matchAll(/(\d+)(?:-(\d+))?/g);
  return mergeRanges(
    [...ranges].map(([, first, last = first]) => ({ first: Number(first), last: Number(last) })),
  );
}

/** The soft and the hard limit; null is unlimited. */
export function parseOpenFiles(limits: string): { soft: number | null; hard: number | null } {
  const match = /^Max open files\s+(\d+|unlimited)\s+(\d+|unlimited)/m.exec(limits);
  const number = (text: string | undefined) =>
    text === undefined || text === 'unlimited' ? null : Number(text);
  return { soft: number(match?.[1]), hard: number(match?.[2]) };
}

function readIpv6(): HostFacts['ipv6'] {
  const v6onlyDefault = sysctl('ipv6/bindv6only')?.trim() === '1';
  const addresses = read('/proc/net/if_inet6');
  // Disabling it takes the addresses away and leaves the sockets: what counts is whether one can be bound.
  if (addresses !== null && addresses.trim() !== '') return { available: true, v6onlyDefault, reason: null };
  return { available: false, v6onlyDefault, reason: whyNoIpv6(addresses) };
}

function whyNoIpv6(addresses: string | null): string {
  if (addresses === null) return 'the kernel has no IPv6 (no module, or started with ipv6.disable=1)';
  if (sysctl('ipv6/conf/all/disable_ipv6')?.trim() === '1') {
    return 'disabled by the sysctl net.ipv6.conf.all.disable_ipv6 = 1';
  }
  return 'no network interface has an IPv6 address';
}

function listAddresses(): HostFacts['addresses'] {
  try {
    return Object.entries(networkInterfaces()).flatMap(([name, all]) =>
      (all ?? []).map(({ address }) => ({ address, interface: name })),
    );
  } catch {
    // Listing takes a descriptor, and there may be none left.
    return [];
  }
}

/** Less one, which is the reading itself. */
function countDescriptors(): number | null {
  try {
    return readdirSync('/proc/self/fd').length - 1;
  } catch {
    return null;
  }
}

function sysctl(name: string): string | null {
  return read(`/proc/sys/net/${name}`);
}

/** Null where this kernel does not have it or a sandbox hides it. */
function read(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}
