// The machine's ports as the map and the table show them: each socket with the names that reeve knows it by. Pure.
import type { DaemonStatus, LeaseRecord, SocketRecord } from './types.ts';

export interface PortRange {
  first: number;
  last: number;
}

export interface Ranges {
  pool: PortRange;
  exclude: number[];
  ephemeral: PortRange | null;
  reserved: PortRange[];
  excluded: PortRange[];
  unprivilegedFrom: number;
  user: { name: string; elevated: boolean };
}

export interface PortRow {
  key: string;
  port: number;
  protocol: 'tcp' | 'udp';
  address: string;
  state: string;
  /** `node (4711)`. */
  holder: string;
  user: string;
  /** `listener/web`, `shop-api/0`, the name of a lease. */
  known: string;
  /** reeve's own, or promised by it. */
  isOurs: boolean;
  isLeased: boolean;
  socket: SocketRecord | null;
}

export function portRows(
  sockets: readonly SocketRecord[],
  leases: LeaseRecord['leases'],
  names: Readonly<Record<string, string>>,
): PortRow[] {
  const leased = new Map(leases.map((lease) => [lease.port, lease]));
  const rows = sockets.map((socket, i): PortRow => {
    const [holder] = socket.holders;
    const more = socket.holders.length - 1;
    const lease = leased.get(socket.port);
    const known = names[`${socket.protocol} ${socket.port}`] ?? lease?.name ?? '';
    return {
      key: `${socket.protocol} ${socket.address} ${socket.port} ${socket.peer} ${i}`,
      port: socket.port,
      protocol: socket.protocol,
      address: socket.address,
      state: socket.state,
      holder: holder ? `${holder.name} (${holder.pid})${more > 0 ? ` +${more}` : ''}` : '',
      user: holder?.user ?? '',
      known,
      isOurs: known !== '',
      isLeased: lease !== undefined,
      socket,
    };
  });
  const taken = new Set(sockets.map(({ port }) => port));
  for (const { name, port, owner } of leases) {
    if (taken.has(port)) continue;
    rows.push({
      ...{ key: `lease ${port}`, port, protocol: 'tcp', address: '', state: 'leased' },
      ...{
        holder: owner.pid === null ? '' : `(${owner.pid})`,
        user: '',
        known: name,
        isOurs: true,
        isLeased: true,
        socket: null,
      },
    });
  }
  return rows.sort((a, b) => a.port - b.port);
}

/** By the protocol and the ports that listeners and instances have now. */
export function namesOf(status: DaemonStatus | null): Record<string, string> {
  const names: Record<string, string> = {};
  const portOf = (address: string) => address.split(':').at(-1);
  if (!status) return names;
  for (const { name, binds } of status.listeners)
    for (const { address } of binds)
      names[`${address.startsWith('udp:') ? 'udp' : 'tcp'} ${portOf(address)}`] = `listener/${name}`;
  for (const { instances } of status.services)
    for (const { id, ports } of instances) for (const port of Object.values(ports)) names[`tcp ${port}`] = id;
  names[`tcp ${portOf(status.control)}`] = 'reeve';
  return names;
}

export function matches(row: PortRow, text: string): boolean {
  const wanted = text.trim().toLowerCase();
  if (wanted === '') return true;
  const [from, to] = wanted.split('-');
  if (to !== undefined && /^\d+$/.test(from!) && /^\d+$/.test(to)) {
    return row.port >= Number(from) && row.port <= Number(to);
  }
  if (/^:?\d+$/.test(wanted)) return String(row.port).startsWith(wanted.replace(':', ''));
  return `${row.protocol}:${row.port} ${row.address} ${row.holder} ${row.user} ${row.known} ${row.state}`
    .toLowerCase()
    .includes(wanted);
}
