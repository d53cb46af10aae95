// What a person can do about a cause, as commands where there are any.
import { formatHostPort } from '../endpoint.ts';
import { formatRange, mergeRanges } from '../range.ts';
import type { CauseRecord } from '../records.ts';
import type { BindFacts, RivalSocket } from './facts.ts';
import { serviceRemedies } from './windows.ts';

type Remedy = CauseRecord['remedies'][number];

const remedy = (title: string, command: string | null = null): Remedy => ({ title, command });

/** `3000` or `udp:53`: how the command line names this port. */
export function targetText({ protocol, port }: BindFacts): string {
  return protocol === 'udp' ? `udp:${port}` : String(port);
}

export function freeIt(facts: BindFacts, rival: RivalSocket): Remedy[] {
  const unit = rival.holders.find((holder) => holder.unit?.endsWith('.service'))?.unit;
  const container = rival.holders.find((holder) => holder.container)?.container;
  return [
    ...(unit ? [remedy(`stop the systemd unit ${unit}`, `systemctl stop ${unit}`)] : []),
    ...serviceRemedies(rival),
    ...(container ? [remedy('stop the container', `docker stop ${container.slice(0, 12)}`)] : []),
    remedy(
      'stop the holder safely and prove that the port is free',
      `reeve free ${targetText(facts)}${rival.state === 'bound' ? ' --force' : ''}`,
    ),
    remedy('or give your program another port', null),
  ];
}

export function lookCloser(facts: BindFacts): Remedy[] {
  const asAdmin = remedy(
    'see the holder from a terminal opened as administrator',
    `reeve who ${targetText(facts)}`,
  );
  return [
    facts.platform === 'win32'
      ? asAdmin
      : remedy('see the holder with more privilege', `sudo reeve who ${targetText(facts)}`),
    remedy('or give your program another port', null),
  ];
}

export const separateFamilies: Remedy = remedy(
  'or serve the two families apart: bind :: with IPV6_V6ONLY (Node: listen({ host: "::", ipv6Only: true }))',
);

export const setReuse: Remedy = remedy(
  'set SO_REUSEADDR before bind, as Node, Go, Java and nginx do by themselves (Python: socket.SO_REUSEADDR or allow_reuse_address)',
);

export function waitForFree(facts: BindFacts): Remedy {
  return remedy('or wait until it is over', `reeve wait --free ${targetText(facts)} --timeout 90s`);
}

export function privilegedPort({ port, host }: BindFacts): Remedy[] {
  return [
    remedy('listen on an unprivileged port, and let a reverse proxy or load balancer serve this one'),
    remedy(
      'give the program (not the user) the right',
      'sudo setcap cap_net_bind_service=+ep "$(readlink -f "$(command -v node)")"',
    ),
    remedy(
      `lower the threshold of this machine from ${host.unprivilegedFrom} to ${port}, for everybody`,
      `sudo sysctl -w net.ipv4.ip_unprivileged_port_start=${port}`,
    ),
    remedy(
      'redirect the port to an unprivileged one',
      `sudo iptables -t nat -A PREROUTING -p tcp --dport ${port} -j REDIRECT --to-ports ${port + 8000}`,
    ),
    remedy('under systemd: AmbientCapabilities=CAP_NET_BIND_SERVICE in the unit, or a .socket unit'),
  ];
}

export function reservePort({ port, host, platform, protocol }: BindFacts): Remedy[] {
  if (platform === 'win32') {
    const command = `netsh int ipv4 add excludedportrange protocol=${protocol} startport=${port} numberofports=1`;
    return [
      remedy('keep Windows from giving it to outgoing connections, as administrator; it lasts', command),
    ];
  }
  const reserved = mergeRanges([...host.reserved, { first: port, last: port }])
    .map(formatRange)
    .join(',');
  return [
    remedy(
      'keep the kernel from giving it to outgoing connections (add the setting to /etc/sysctl.d to keep it)',
      `sudo sysctl -w net.ipv4.ip_local_reserved_ports=${reserved}`,
    ),
    ...(host.ephemeral ? [remedy(`or choose a port outside ${formatRange(host.ephemeral)}`)] : []),
  ];
}

export function useOwnAddress({ port, host, bind }: BindFacts): Remedy[] {
  const own = host.addresses
    .map(({ address }) => address)
    .filter((address) => address.includes(':') === (bind.family === 'ipv6'));
  return [
    remedy(
      `bind one of this machine's addresses: ${own.slice(0, 6).join(', ') || 'there is none of this family'}`,
    ),
    remedy(`or all of them: ${formatHostPort(bind.family === 'ipv6' ? '::' : '0.0.0.0', port)}`),
    remedy(
      'or, where the address will move here later (a floating address)',
      'sudo sysctl -w net.ipv4.ip_nonlocal_bind=1',
    ),
  ];
}

export function withoutIpv6({ host }: BindFacts): Remedy[] {
  const switchedOff = host.ipv6.reason?.includes('disable_ipv6') ?? false;
  return [
    remedy('bind the IPv4 address instead: 0.0.0.0, or 127.0.0.1'),
    switchedOff
      ? remedy('or turn IPv6 on', 'sudo sysctl -w net.ipv6.conf.all.disable_ipv6=0')
      : remedy('or give an interface an IPv6 address; look at what there is', 'ip -6 address'),
  ];
}

/** `hard` is the most that the shell may be given; null where it is not known. */
export function moreDescriptors(hard: number | null): Remedy[] {
  return [
    remedy('raise the limit of the shell that starts the program', `ulimit -n ${hard ?? 65536}`),
    remedy('under systemd: LimitNOFILE= in the unit'),
    remedy('and look for descriptors that are never closed', 'ls /proc/PID/fd | wc -l'),
  ];
}

export const sandbox: Remedy[] = [
  remedy(
    'look for a denial by SELinux or AppArmor',
    'sudo journalctl -k --since -5min | grep -iE "denied|audit"',
  ),
  remedy(
    'look at the container or unit: seccomp profile, IPAddressDeny, SocketBindDeny, RestrictAddressFamilies',
  ),
];
