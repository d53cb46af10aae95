// Refusals that no other socket is to blame for: privilege, addresses, families, arguments, limits, sandboxes.
import { formatHostPort } from '../endpoint.ts';
import { formatRange, inRange } from '../range.ts';
import { holdingRivals } from './conflict.ts';
import type { BindFacts, BindFailureFact, Cause } from './facts.ts';
import { moreDescriptors, privilegedPort, sandbox, useOwnAddress, withoutIpv6 } from './remedies.ts';
import { deniedOnWindows } from './windows.ts';

type Rule = (facts: BindFacts, failure: BindFailureFact) => Cause[];

const denied: Rule = (facts, failure) => {
  if (facts.platform === 'win32') {
    // The sockets in the way are causes by themselves.
    return holdingRivals(facts).length > 0 ? [] : deniedOnWindows(facts, failure);
  }
  const { port, host } = facts;
  const evidence = [`${failure.syscall} failed: ${failure.code}`];
  if (port < host.unprivilegedFrom && !host.mayBindPrivileged) {
    return [
      {
        id: 'privileged',
        confidence: 'certain',
        summary: `ports below ${host.unprivilegedFrom} are for privileged programs on this machine, and ${host.user.name} is not privileged`,
        evidence: [...evidence, ...privilegeLines(facts)],
        remedies: privilegedPort(facts),
      },
    ];
  }
  const range = host.excluded.find((excluded) => inRange(excluded, port));
  if (range) {
    return [
      {
        id: 'excluded-range',
        confidence: 'certain',
        summary: `the system has excluded ports ${formatRange(range)} from use`,
        evidence: [...evidence, `port ${port} is inside the excluded range ${formatRange(range)}`],
        remedies: [{ title: 'choose a port outside the excluded ranges', command: 'reeve doctor' }],
      },
    ];
  }
  return [
    {
      id: 'sandbox-denied',
      confidence: 'likely',
      summary: `a security policy denied the bind to port ${port}, not the port's number or a holder`,
      evidence: [
        ...evidence,
        `port ${port} is open to every user (unprivileged ports start at ${host.unprivilegedFrom})`,
      ],
      remedies: sandbox(facts),
    },
  ];
};

function privilegeLines({ platform, host }: BindFacts): string[] {
  if (platform === 'darwin')
    return [`${host.user.name} is not root`, 'macOS asks root for a bind of such a port to one address'];
  return [
    `net.ipv4.ip_unprivileged_port_start is ${host.unprivilegedFrom}`,
    `${host.user.name} lacks CAP_NET_BIND_SERVICE`,
  ];
}

const noAddress: Rule = (facts, failure) => {
  const { bind, host } = facts;
  const evidence = [`${failure.syscall} failed: ${failure.code}`];
  if (bind.family === 'ipv6' && !host.ipv6.available) return noFamily(facts, failure);
  return [
    {
      id: 'no-such-address',
      confidence: 'certain',
      summary: `${bind.address} is not an address of this machine`,
      evidence: [
        ...evidence,
        `this machine has ${host.addresses.map(({ address }) => address).join(', ') || 'no address'}`,
      ],
      remedies: useOwnAddress(facts),
    },
  ];
};

const noFamily: Rule = (facts, failure) => [
  {
    id: 'family-unavailable',
    confidence: 'certain',
    summary: `${facts.bind.family === 'ipv6' ? 'IPv6' : 'IPv4'} is not available here`,
    evidence: [
      `${failure.syscall} failed: ${failure.code}`,
      ...(facts.host.ipv6.reason ? [facts.host.ipv6.reason] : []),
    ],
    remedies: facts.bind.family === 'ipv6' ? withoutIpv6(facts) : [],
  },
];

const invalid: Rule = (facts, failure) => {
  const linkLocal = /^fe[89ab]/i.test(facts.bind.address);
  return [
    invalidArgument(
      linkLocal
        ? `${facts.bind.address} is a link-local address: the system cannot tell which interface is meant`
        : `the system does not accept ${formatHostPort(facts.bind.address, facts.port)} for a bind`,
      [`${failure.syscall} failed: ${failure.code}`],
      linkLocal ? `name the interface: ${facts.bind.address}%eth0` : 'check address, port and flags',
    ),
  ];
};

const noDescriptors: Rule = (facts, failure) => {
  const { open, soft } = facts.host.descriptors;
  return [
    {
      id: 'no-descriptors',
      confidence: 'certain',
      summary:
        failure.code === 'ENFILE'
          ? 'the whole machine has no file descriptor left'
          : 'this process has no file descriptor left, so it cannot open a socket',
      evidence: [
        `${failure.syscall} failed: ${failure.code}`,
        ...(soft === null
          ? []
          : [`${open ?? 'an unknown number of'} descriptors are open, the limit is ${soft}`]),
      ],
      remedies: moreDescriptors(facts),
    },
  ];
};

/** By errno's name, and by the name that Windows' sockets have for the same. */
const rules: Record<string, Rule> = {
  EACCES: denied,
  WSAEACCES: denied,
  EPERM: denied,
  EADDRNOTAVAIL: noAddress,
  WSAEADDRNOTAVAIL: noAddress,
  EAFNOSUPPORT: noFamily,
  WSAEAFNOSUPPORT: noFamily,
  EINVAL: invalid,
  WSAEINVAL: invalid,
  EMFILE: noDescriptors,
  ENFILE: noDescriptors,
  WSAEMFILE: noDescriptors,
};

export function refusalCauses(facts: BindFacts): Cause[] {
  const { failure } = facts;
  return failure ? (rules[failure.code]?.(facts, failure) ?? []) : [];
}

/** For what is wrong before any call can be made: port 70000, a name that does not resolve. */
export function invalidArgument(summary: string, evidence: string[], remedy: string): Cause {
  return {
    id: 'invalid-argument',
    confidence: 'certain',
    summary,
    evidence,
    remedies: [{ title: remedy, command: null }],
  };
}
