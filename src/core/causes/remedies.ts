// What a person can do about a cause, as commands where there are any.
import { formatHostPort } from '../endpoint.ts';
import { formatRange, mergeRanges } from '../range.ts';
import type { CauseRecord } from '../records.ts';
import type { BindFacts, RivalSocket } from './facts.ts';
import { serviceRemedies } from './windows.ts';

type Remedy = CauseRecord['remedies'][number];

const remedy = (title: string, command: string | null = null): Remedy => ({ title, command });

/** `3000` or `udp:53`: how the command line names this port. */
function targetText({ protocol, port }: BindFacts): string {
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
    'see the holder as administrator, which Windows asks about',
    `reeve --elevate who ${targetText(facts)}`,
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

export function setReuse({ platform }: BindFacts): Remedy {
  return remedy(
    platform === 'win32'
      ? 'bind without SO_EXCLUSIVEADDRUSE, as Node does by itself; SO_REUSEADDR would steal ports on Windows'
      : 'set SO_REUSEADDR before bind, as Node, Go, Java and nginx do by themselves (Python: socket.SO_REUSEADDR or allow_reuse_address)',
  );
}

/** How long a closed connection stays in TIME_WAIT: twice the longest life of a segment, as each system has it. */
export function timeWaitWords(platform: string): string {
  if (platform === 'linux') return '60 s at the most on Linux';
  if (platform === 'darwin') return '30 s on macOS, unless net.inet.tcp.msl says otherwise';
  if (platform === 'win32') return 'up to 4 minutes on Windows, by its TcpTimedWaitDelay';
  return 'up to 4 minutes';
}

export function waitForFree(facts: BindFacts): Remedy {
  return remedy('or wait until it is over', `reeve wait --free ${targetText(facts)} --timeout 90s`);
}

export function privilegedPort({ port, host, platform }: BindFacts): Remedy[] {
  if (platform === 'darwin') {
    return [
      remedy('listen on all addresses (0.0.0.0): for that, macOS 10.14 and later ask no privilege'),
      remedy('listen on an unprivileged port, and let a reverse proxy or load balancer serve this one'),
      remedy('or start the program as root (sudo), or as a daemon of launchd'),
    ];
  }
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
  if (platform === 'darwin')
    return host.ephemeral ? [remedy(`choose a port outside ${formatRange(host.ephemeral)}`)] : [];
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

export function useOwnAddress({ port, host, bind, platform }: BindFacts): Remedy[] {
  const own = host.addresses
    .map(({ address }) => address)
    .filter((address) => address.includes(':') === (bind.family === 'ipv6'));
  return [
    remedy(
      `bind one of this machine's addresses: ${own.slice(0, 6).join(', ') || 'there is none of this family'}`,
    ),
    remedy(`or all of them: ${formatHostPort(bind.family === 'ipv6' ? '::' : '0.0.0.0', port)}`),
    ...(platform === 'linux'
      ? [
          remedy(
            'or, where the address will move here later (a floating address)',
            'sudo sysctl -w net.ipv4.ip_nonlocal_bind=1',
          ),
        ]
      : []),
  ];
}

const listAddresses: Readonly<Record<string, string>> = { win32: 'ipconfig', darwin: 'ifconfig' };

export function withoutIpv6({ host, platform }: BindFacts): Remedy[] {
  const switchedOff = host.ipv6.reason?.includes('disable_ipv6') ?? false;
  return [
    remedy('bind the IPv4 address instead: 0.0.0.0, or 127.0.0.1'),
    switchedOff
      ? remedy('or turn IPv6 on', 'sudo sysctl -w net.ipv6.conf.all.disable_ipv6=0')
      : remedy(
          'or give an interface an IPv6 address; look at what there is',
          listAddresses[platform] ?? 'ip -6 address',
        ),
  ];
}

/** The hard limit is the most that the shell may be given; null where it is not known. */
export function moreDescriptors({ platform, host }: BindFacts): Remedy[] {
  const { hard } = host.descriptors;
  if (platform === 'win32') {
    return [
      remedy(
        'Windows has no such limit to raise: look for sockets that are never closed',
        '(Get-Process -Id PID).HandleCount',
      ),
    ];
  }
  if (platform === 'darwin') {
    return [
      remedy('raise the limit of the shell that starts the program', `ulimit -n ${hard ?? 65536}`),
      remedy('under launchd: NumberOfFiles in SoftResourceLimits of the job'),
      remedy('and look for descriptors that are never closed', 'lsof -p PID'),
    ];
  }
  return [
    remedy('raise the limit of the shell that starts the program', `ulimit -n ${hard ?? 65536}`),
    remedy('under systemd: LimitNOFILE= in the unit'),
    remedy('and look for descriptors that are never closed', 'ls /proc/PID/fd | wc -l'),
  ];
}

const sandboxOnMac: Remedy[] = [
  remedy('look for a denial by the sandbox', `log show --last 5m --predicate 'eventMessage CONTAINS "deny"'`),
  remedy('look at the app sandbox of the program: it needs com.apple.security.network.server'),
];

export const sandbox = ({ platform }: BindFacts): Remedy[] =>
  platform === 'darwin' ? sandboxOnMac : sandboxOnLinux;

const sandboxOnLinux: Remedy[] = [
  remedy(
    'look for a denial by SELinux or AppArmor',
    'sudo journalctl -k --since -5min | grep -iE "denied|audit"',
  ),
  remedy(
    'look at the container or unit: seccomp profile, IPAddressDeny, SocketBindDeny, RestrictAddressFamilies',
  ),
];
