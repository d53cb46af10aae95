// The systemd unit of the daemon. Pure: what `reeve service install` writes on Linux, and nothing else.
import { type ServiceDefinition, stopWithin } from './definition.ts';

/** In the order of a unit file; a comment stands above what it explains. */
export function renderUnit(definition: ServiceDefinition): string {
  const { node, script, configFile, description, profile, user } = definition;
  const reeve = (...words: string[]) => [node, script, ...words].map(quoted).join(' ');
  return `${[
    '[Unit]',
    `Description=${description.replaceAll('%', '%%')}`,
    ...(user ? [] : ['After=network.target']),
    'StartLimitIntervalSec=60',
    'StartLimitBurst=10',
    '',
    '[Service]',
    'Type=notify',
    'NotifyAccess=main',
    `ExecStart=${reeve('up', '--quiet', '-c', configFile)}`,
    '# Not a signal: this waits until it is done, and fails with the reason where the new configuration is wrong.',
    `ExecReload=${reeve('reload', '--quiet', '-c', configFile)}`,
    `Environment=${quoted(`REEVE_STATE=${definition.state}`)}`,
    ...(user ? [] : [`StateDirectory=${definition.name}`, 'StateDirectoryMode=0700']),
    'UMask=0077',
    '# A listener may wait for its port (conflict: retry), and services are given time to come up.',
    'TimeoutStartSec=300',
    `TimeoutStopSec=${stopWithin / 1000}`,
    'WatchdogSec=30',
    'Restart=on-failure',
    'RestartSec=1',
    '# 2 is a wrong configuration: starting again would not help.',
    'RestartPreventExitStatus=2',
    '# SIGTERM to the daemon alone, which stops its services in order; what is left in the end gets SIGKILL.',
    'KillMode=mixed',
    '# One service that needs too much memory must not take the others with it.',
    'OOMPolicy=continue',
    'LimitNOFILE=524288',
    ...(profile === 'supervise' ? supervise(definition) : inspect(definition)),
    '',
    '[Install]',
    `WantedBy=${user ? 'default.target' : 'multi-user.target'}`,
  ].join('\n')}\n`;
}

/** What a service may not do is what any of its programs may not do: only what servers never need is taken away. */
function supervise(definition: ServiceDefinition): string[] {
  const delegate = [
    '# Delegate: each instance gets a cgroup of its own, to be ended as a whole.',
    'Delegate=yes',
  ];
  // A user's own manager can hardly shut anything in, and what it runs is that user's anyway.
  if (definition.user) return ['', ...delegate, 'NoNewPrivileges=yes'];
  return [
    '',
    ...delegate,
    '',
    `User=${definition.name}`,
    `Group=${definition.name}`,
    ...lowPorts,
    'NoNewPrivileges=yes',
    '# ProtectSystem is not strict, and ProtectHome not "yes": services read and write where their own configuration says,',
    '# as far as the account may.',
    'ProtectSystem=full',
    ...home(definition, 'ProtectHome=read-only'),
    'PrivateTmp=yes',
    'PrivateMounts=yes',
    'PrivateDevices=yes',
    ...open,
    ...kernel,
    '# ProtectControlGroups would take away what Delegate gives.',
    '# It ends processes by who holds a port, so it must see those of others, and /proc/net: ProtectProc and ProcSubset stay.',
    '# RestrictNamespaces stays as it is: sandboxes of browsers and rootless containers are made of namespaces.',
    'RestrictSUIDSGID=yes',
    'RestrictRealtime=yes',
    'LockPersonality=yes',
    'RemoveIPC=yes',
    '# RestrictAddressFamilies holds for every service: only packets past the network stack are taken away.',
    'RestrictAddressFamilies=~AF_PACKET',
    'SystemCallArchitectures=native',
    "# SystemCallFilter takes away what is root's alone, or of the past (@clock is ProtectClock's already). Sandboxes use",
    '# @mount and @privileged, debuggers and profilers @debug, servers @resources.',
    'SystemCallFilter=~@clock @cpu-emulation @module @obsolete @raw-io @reboot @swap',
    'SystemCallErrorNumber=EPERM',
    noMemoryDeny,
  ];
}

function inspect(definition: ServiceDefinition): string[] {
  if (definition.user) return ['', 'NoNewPrivileges=yes'];
  return [
    '',
    '# An account for the time that it runs, which no file but its state belongs to.',
    'DynamicUser=yes',
    ...lowPorts,
    'NoNewPrivileges=yes',
    '# Sinks that write elsewhere than below the state directory need ReadWritePaths= in a drop-in.',
    'ProtectSystem=strict',
    ...home(definition, 'ProtectHome=yes'),
    'PrivateTmp=yes',
    'PrivateMounts=yes',
    'PrivateDevices=yes',
    ...open,
    ...kernel,
    'ProtectControlGroups=yes',
    '# It says who holds a port, so it must see processes of others, and /proc/net: ProtectProc and ProcSubset stay.',
    'ProtectProc=default',
    'RestrictNamespaces=yes',
    'RestrictSUIDSGID=yes',
    'RestrictRealtime=yes',
    'LockPersonality=yes',
    'RemoveIPC=yes',
    '# RestrictAddressFamilies: AF_NETLINK lists sockets (sock_diag) and interfaces, the others are what it listens on.',
    'RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK',
    'SystemCallArchitectures=native',
    '# @pkey is not in @system-service, and V8 guards its code pages by it.',
    'SystemCallFilter=@system-service @pkey',
    'SystemCallFilter=~@privileged @resources',
    'SystemCallErrorNumber=EPERM',
    noMemoryDeny,
  ];
}

const lowPorts = [
  '# AmbientCapabilities and CapabilityBoundingSet: ports below 1024, and nothing else that root may.',
  'AmbientCapabilities=CAP_NET_BIND_SERVICE',
  'CapabilityBoundingSet=CAP_NET_BIND_SERVICE',
];

const open = [
  '# PrivateNetwork, PrivateUsers, IPAddressDeny and RootDirectory stay as they are: it listens, connects and binds low',
  '# ports for this very machine.',
];

const noMemoryDeny =
  '# No MemoryDenyWriteExecute: V8 compiles to memory that it then executes, and ends at once without.';

const kernel = [
  '# DeviceAllow: ProtectClock leaves the hardware clock to be read.',
  'ProtectKernelTunables=yes',
  'ProtectKernelModules=yes',
  'ProtectKernelLogs=yes',
  'ProtectClock=yes',
  'ProtectHostname=yes',
];

/** Node, reeve or the configuration below a home must stay to be read. */
function home({ node, script, configFile }: ServiceDefinition, otherwise: string): string[] {
  if (![node, script, configFile].some((file) => /^\/(home|root|run\/user)\//.test(file))) return [otherwise];
  return [
    '# Not hidden: what it runs, or its configuration, is in a home directory.',
    'ProtectHome=read-only',
  ];
}

/** One word of a command line (systemd.service(5), "Command lines"). */
function quoted(word: string): string {
  const escaped = word.replaceAll('%', '%%').replaceAll('$', '$$$$');
  return /^[\w@%+=:,./$-]+$/.test(word) ? escaped : `"${escaped.replace(/["\\]/g, '\\$&')}"`;
}
