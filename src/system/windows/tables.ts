// The bytes of GetExtendedTcpTable and GetExtendedUdpTable as rows. Pure: no call is made here.
import { type Family, formatAddressBytes } from '../../core/address.ts';
import type { Protocol } from '../../core/endpoint.ts';
import type { SocketState } from '../system.ts';

export interface TableRow {
  protocol: Protocol;
  family: Family;
  address: string;
  port: number;
  /** Null where there is none: a listener, UDP. */
  remoteAddress: string | null;
  remotePort: number | null;
  state: SocketState;
  /** 0: nobody's any more (TIME_WAIT), or not told. */
  pid: number;
  /** 100 ns since 1601; 0 where it is not told. */
  created: bigint;
  /** Which service of its process opened it; 0 for none. */
  serviceTag: number;
}

interface Layout {
  size: number;
  local: number;
  localScope?: number;
  localPort: number;
  remote?: number;
  remotePort?: number;
  state?: number;
  pid: number;
  created: number;
  /** OwningModuleInfo, 16 words of 8 bytes, the first of which is the service's tag. */
  module: number;
}

/** MIB_TCPROW_OWNER_MODULE and its relatives (tcpmib.h, udpmib.h); the same on x64 and arm64. */
const layouts: Record<Protocol, Record<Family, Layout>> = {
  tcp: {
    ipv4: {
      ...{ size: 160, state: 0, local: 4, localPort: 8, remote: 12, remotePort: 16, pid: 20 },
      ...{ created: 24, module: 32 },
    },
    ipv6: {
      ...{
        size: 192,
        local: 0,
        localScope: 16,
        localPort: 20,
        remote: 24,
        remotePort: 44,
        state: 48,
        pid: 52,
      },
      ...{ created: 56, module: 64 },
    },
  },
  udp: {
    ipv4: { size: 160, local: 0, localPort: 4, pid: 8, created: 16, module: 32 },
    ipv6: { size: 176, local: 0, localScope: 16, localPort: 20, pid: 24, created: 32, module: 48 },
  },
};

/** dwNumEntries, then padding: the rows hold 64-bit words. */
const rowsAt = 8;

/** MIB_TCP_STATE; 100 is one that is bound and no more. */
const states: Record<number, SocketState> = {
  1: 'closed',
  2: 'listen',
  3: 'syn-sent',
  4: 'syn-received',
  5: 'established',
  6: 'fin-wait-1',
  7: 'fin-wait-2',
  8: 'close-wait',
  9: 'closing',
  10: 'last-ack',
  11: 'time-wait',
  12: 'closed',
  100: 'bound',
};

/** A table that is cut short gives the rows that are whole. */
export function decodeTable(bytes: Uint8Array, protocol: Protocol, family: Family): TableRow[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < rowsAt) return [];
  const layout = layouts[protocol][family];
  const room = Math.floor((bytes.length - rowsAt) / layout.size);
  const count = Math.min(view.getUint32(0, true), room);
  return Array.from({ length: count }, (_, i) =>
    decodeRow(view, rowsAt + i * layout.size, layout, protocol, family),
  );
}

function decodeRow(view: DataView, at: number, layout: Layout, protocol: Protocol, family: Family): TableRow {
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  const state: SocketState =
    layout.state === undefined
      ? 'unconnected'
      : (states[view.getUint32(at + layout.state, true)] ?? 'closed');
  const connected = layout.remote !== undefined && state !== 'listen' && state !== 'bound';
  const scope = layout.localScope === undefined ? 0 : view.getUint32(at + layout.localScope, true);
  const address = formatAddressBytes(family, bytes, at + layout.local);
  return {
    protocol,
    family,
    address: scope !== 0 && address.startsWith('fe80:') ? `${address}%${scope}` : address,
    // In network byte order; the upper 16 bits of the word are not defined (tcpmib.h).
    port: view.getUint16(at + layout.localPort),
    remoteAddress: connected ? formatAddressBytes(family, bytes, at + layout.remote!) : null,
    remotePort: connected ? view.getUint16(at + layout.remotePort!) : null,
    state,
    pid: view.getUint32(at + layout.pid, true),
    created: view.getBigUint64(at + layout.created, true),
    serviceTag: view.getUint32(at + layout.module, true),
  };
}
