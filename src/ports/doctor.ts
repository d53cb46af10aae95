// doctor: what on this machine decides how ports behave, each line judged, with the remedy.
import { isLoopback } from '../core/address.ts';
import type { Protocol } from '../core/endpoint.ts';
import { formatRange, type PortRange } from '../core/range.ts';
import { plural } from '../core/text.ts';
import type { Containment, FirewallAnswer, HostFacts, SocketTable, System } from '../system/index.ts';

export interface Finding {
  subject: string;
  verdict: 'ok' | 'warn' | 'fail';
  message: string;
  remedy: string | null;
}

export interface GuardedListener {
  protocol: Protocol;
  port: number;
  answer: FirewallAnswer;
}

export interface DoctorFacts {
  node: string;
  version: string;
  platform: string;
  host: HostFacts;
  /** Null where it cannot be read, with the reason beside it. */
  table: SocketTable | null;
  tableError: string | null;
  pool: PortRange;
  containment: Containment['abilities'];
  state: { folder: string; error: string | null };
  /** Listeners that other machines could reach, each with what the firewall says; null where none is known. */
  firewall: GuardedListener[] | null;
  /** Null where no other registry than the daemon's own is named. */
  registry: { address: string; error: string | null; services: number } | null;
}

const ok = (subject: string, message: string): Finding => ({ subject, verdict: 'ok', message, remedy: null });
const warn = (subject: string, message: string, remedy: string | null): Finding => ({
  subject,
  verdict: 'warn',
  message,
  remedy,
});
const fail = (subject: string, message: string, remedy: string | null): Finding => ({
  subject,
  verdict: 'fail',
  message,
  remedy,
});

export function diagnose(facts: DoctorFacts): Finding[] {
  return [
    ok('versions', `reeve ${facts.version}, Node ${facts.node}, ${facts.platform}`),
    privilege(facts),
    socketTable(facts),
    descriptors(facts),
    ephemeral(facts),
    privilegedPorts(facts),
    excluded(facts),
    ipv6(facts),
    containment(facts),
    ...firewall(facts),
    state(facts),
    ...registry(facts),
  ];
}

function containment(facts: DoctorFacts): Finding {
  const { encloses, endsWithThis, findsMarked } = facts.containment;
  if (endsWithThis) return ok('containment', 'the system itself ends with reeve what it started');
  if (encloses) return ok('containment', 'a control group for each service and run');
  if (!findsMarked) return ok('containment', 'none: of what a command starts, only itself is ended');
  if (facts.platform === 'darwin') {
    return ok('containment', 'by parents, process groups and environment: macOS has no stronger means');
  }
  return warn(
    'containment',
    'by parents and environment: no control group can be made here',
    'root can make one, or reeve in a group of its own: systemd-run --user -p Delegate=yes',
  );
}

function privilege({ host, platform }: DoctorFacts): Finding {
  if (host.user.elevated) return ok('privilege', `${host.user.name}: sees and may end every process`);
  return warn(
    'privilege',
    `${host.user.name}: processes of other users stay hidden`,
    platform === 'win32'
      ? 'run a command with reeve --elevate, or in a terminal opened as administrator, when it says that a holder is hidden'
      : 'run a command with sudo when it says that a holder is hidden',
  );
}

function socketTable({ table, tableError }: DoctorFacts): Finding {
  if (!table) return fail('socket table', tableError ?? 'cannot be read', null);
  if (table.blindSpots.length === 0)
    return ok('socket table', `${table.source}: ${plural(table.rows.length, 'socket')}`);
  return warn('socket table', `${table.source}: ${table.blindSpots.join('; ')}`, null);
}

function descriptors({ host, platform }: DoctorFacts): Finding {
  const { open, soft, hard } = host.descriptors;
  if (soft === null)
    return ok('open files', platform === 'win32' ? 'Windows sets no limit' : 'no limit is known');
  const text = `${open ?? '?'} open, limit ${soft}${hard === null ? '' : ` (at most ${hard})`}`;
  // Two descriptors a relayed connection; below this a default listener's 10,000 connections cannot be served.
  if (soft >= 20_100) return ok('open files', text);
  const words = `${text}: enough for ${Math.max(0, Math.floor((soft - 100) / 2))} relayed connections`;
  const most = Math.min(hard ?? 65_536, 65_536);
  if (most > soft) return warn('open files', words, `ulimit -n ${most}`);
  return warn(
    'open files',
    words,
    platform === 'darwin'
      ? 'raise the hard limit: sudo launchctl limit maxfiles 65536'
      : 'raise the hard limit: LimitNOFILE= in the unit, or /etc/security/limits.conf',
  );
}

function ephemeral({ host, pool, platform }: DoctorFacts): Finding {
  if (!host.ephemeral) return ok('ephemeral range', 'not known');
  const range = formatRange(host.ephemeral);
  if (host.ephemeral.first > pool.last || host.ephemeral.last < pool.first) {
    return ok('ephemeral range', `${range}, apart from the pool ${formatRange(pool)}`);
  }
  return warn(
    'ephemeral range',
    `${range} overlaps the pool ${formatRange(pool)}: outgoing connections may take its ports`,
    keepApart(platform, pool),
  );
}

function keepApart(platform: string, { first, last }: PortRange): string {
  if (platform === 'linux')
    return `sudo sysctl -w net.ipv4.ip_local_reserved_ports=${formatRange({ first, last })}`;
  const moved = 'choose a pool outside of it: ports.range in reeve.yaml';
  if (platform !== 'win32') return moved;
  return `as administrator: netsh int ipv4 add excludedportrange protocol=tcp startport=${first} numberofports=${last - first + 1}; or ${moved}`;
}

function privilegedPorts({ host }: DoctorFacts): Finding {
  if (host.unprivilegedFrom === 0) return ok('privileged ports', 'every user may bind every port');
  if (host.mayBindPrivileged)
    return ok('privileged ports', `below ${host.unprivilegedFrom}: ${host.user.name} may bind them`);
  return warn(
    'privileged ports',
    `below ${host.unprivilegedFrom}: ${host.user.name} may not bind them`,
    'reeve why 80 lists the ways round it',
  );
}

function excluded({ host }: DoctorFacts): Finding {
  const reserved = host.reserved.length > 0 ? `; set aside: ${host.reserved.map(formatRange).join(',')}` : '';
  if (host.excluded.length === 0) return ok('excluded ranges', `none${reserved}`);
  return warn(
    'excluded ranges',
    `${host.excluded.map(formatRange).join(',')}${reserved}`,
    'choose ports outside of them',
  );
}

function ipv6({ host }: DoctorFacts): Finding {
  if (!host.ipv6.available)
    return warn('IPv6', host.ipv6.reason ?? 'not available', 'listeners on :: fall back to 0.0.0.0');
  return ok(
    'IPv6',
    host.ipv6.v6onlyDefault ? 'available; :: takes IPv6 alone by default' : 'available; :: takes IPv4 too',
  );
}

function firewall({ firewall: listeners }: DoctorFacts): Finding[] {
  if (listeners === null || listeners.length === 0) return [];
  if (listeners[0]!.answer.verdict === 'off')
    return [warn('firewall', 'switched off on every network', null)];
  const shut = listeners.filter(({ answer }) => answer.verdict === 'missing' || answer.verdict === 'blocked');
  const open = `${listeners.length - shut.length} of ${plural(listeners.length, 'listener')} may be reached from other machines`;
  if (shut.length === 0) return [ok('firewall', open)];
  const names = shut
    .slice(0, 5)
    .map(
      ({ protocol, port, answer }) =>
        `${protocol} ${port} (${answer.verdict === 'missing' ? 'no rule' : 'blocked'})`,
    );
  const more = shut.length > 5 ? ` and ${shut.length - 5} more` : '';
  const { command } = shut[0]!.answer;
  return [
    warn(
      'firewall',
      `${open}; not ${names.join(', ')}${more}`,
      command && `if they should, as administrator: ${command}`,
    ),
  ];
}

function state({ state: { folder, error } }: DoctorFacts): Finding {
  return error === null
    ? ok('state directory', folder)
    : fail('state directory', `${folder}: ${error}`, `make it writable, or set state: in reeve.yaml`);
}

function registry({ registry: reach }: DoctorFacts): Finding[] {
  if (!reach) return [];
  const { address, error, services } = reach;
  return [
    error === null
      ? ok('registry', `Consul on ${address} answers: ${plural(services, 'service')}`)
      : fail('registry', `${address}: ${error}`, 'start the agent, or correct its address and token'),
  ];
}

/** One answer a port and protocol. Null where this system has no firewall that could be asked. */
export async function askFirewall(system: System, table: SocketTable): Promise<GuardedListener[] | null> {
  const rows = table.rows.filter(({ address, id }) => id !== null && !isLoopback(address));
  if (!system.host.firewall || rows.length === 0) return null;
  const { pids } = await system.sockets.holders(new Set(rows.map(({ id }) => id!)));
  const listeners = new Map<string, GuardedListener>();
  for (const { protocol, port, id } of rows) {
    const pid = pids.get(id!)?.[0] ?? null;
    const answer = await system.host.firewall({ protocol, port, pid });
    if (answer) listeners.set(`${protocol} ${port}`, { protocol, port, answer });
  }
  return listeners.size > 0 ? [...listeners.values()] : null;
}
