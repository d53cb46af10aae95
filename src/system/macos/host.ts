// Settings of this Mac that decide what may be bound: ephemeral ports, privileged ports, limits, addresses.
import { readdirSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import type { MacCalls } from '../../ffi/index.ts';
import type { UserName } from '../linux/users.ts';
import type { Host } from '../system.ts';
import type { Ask } from './ask.ts';

const RLIMIT_NOFILE = 8;
/** RLIM_INFINITY of bsd/sys/resource.h. */
const unlimited = (1n << 63n) - 1n;

export function createHost(ask: Ask, calls: MacCalls, userName: UserName): Host {
  return {
    async facts() {
      const uid = process.geteuid?.() ?? null;
      const addresses = Object.entries(networkInterfaces()).flatMap(([name, all]) =>
        (all ?? []).map(({ address }) => ({ address, interface: name })),
      );
      const hasIpv6 = addresses.some(({ address }) => address.includes(':'));
      const first = ask.setting('net.inet.ip.portrange.first');
      const last = ask.setting('net.inet.ip.portrange.last');
      const inOrder = first !== null && last !== null && first > 0 && first <= last && last <= 65_535;
      return {
        user: { uid, name: uid === null ? '' : await userName(uid), elevated: uid === 0 },
        ephemeral: inOrder ? { first, last } : null,
        reserved: [],
        excluded: [],
        // Of binds to one address; to 0.0.0.0 every user may since macOS 10.14 (in_pcbbind, in_pcb.c).
        unprivilegedFrom: 1024,
        mayBindPrivileged: uid === 0,
        ipv6: {
          available: hasIpv6,
          v6onlyDefault: ask.setting('net.inet6.ip6.v6only') === 1,
          reason: hasIpv6 ? null : 'no network interface has an IPv6 address',
        },
        descriptors: { open: countDescriptors(), ...openFiles(calls) },
        addresses,
      };
    },
  };
}

function openFiles(calls: MacCalls): { soft: number | null; hard: number | null } {
  const bytes = new Uint8Array(16);
  if (calls.getrlimit(RLIMIT_NOFILE, bytes) !== 0) return { soft: null, hard: null };
  const view = new DataView(bytes.buffer);
  const at = (offset: number) => {
    const value = view.getBigUint64(offset, true);
    return value >= unlimited ? null : Number(value);
  };
  return { soft: at(0), hard: at(8) };
}

/** Less one, which is the reading itself. */
function countDescriptors(): number | null {
  try {
    return readdirSync('/dev/fd').length - 1;
  } catch {
    return null;
  }
}
