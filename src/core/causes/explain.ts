// Facts about one bind in; verdict and ranked causes out. Pure.
import { formatRange, inRange, inRanges } from '../range.ts';
import type { PortVerdict } from '../verdict.ts';
import { conflictCauses, holdingRivals } from './conflict.ts';
import type { BindFacts, Cause } from './facts.ts';
import { refusalCauses } from './refusal.ts';
import { lookCloser, reservePort } from './remedies.ts';
import { firewallWarning } from './windows.ts';

export interface Explanation {
  verdict: PortVerdict;
  causes: Cause[];
}

/** `free` needs both: a bind (and listen) that worked, and a table without a conflicting holder. */
export function explainBind(facts: BindFacts): Explanation {
  const { failure } = facts;
  const refused = refusalCauses(facts);
  // An address that is not there is refused before anybody asks who has the port.
  const missing = /ADDRNOTAVAIL|AFNOSUPPORT/.test(failure?.code ?? '') && refused.length > 0;
  const causes = [...(missing ? [] : conflictCauses(facts)), ...refused];
  if (failure === null) {
    if (holdingRivals(facts).length > 0) return { verdict: 'held', causes: ranked(causes) };
    if (!facts.table) return { verdict: 'unknown', causes: [unseen(facts)] };
    return { verdict: 'free', causes: ranked([...causes, ...warnings(facts), ...firewallWarning(facts)]) };
  }
  // To Windows a port that somebody holds for himself alone is a matter of access (WSAEACCES).
  const exclusive = facts.platform === 'win32' && failure.code === 'EACCES';
  if (isInUse(failure.code) || (exclusive && holdingRivals(facts).length > 0)) {
    return { verdict: 'held', causes: ranked(causes.length > 0 ? causes : [invisibleHolder(facts)]) };
  }
  // Without a descriptor nothing was learnt about the port.
  const tried = !causes.some(({ id }) => id === 'no-descriptors') && causes.length > 0;
  return { verdict: tried ? 'refused' : 'unknown', causes: ranked(causes) };
}

function isInUse(code: string): boolean {
  return code === 'EADDRINUSE' || code === 'WSAEADDRINUSE';
}

/** Refused as in use, and the table shows nobody: said as it is, with what the table cannot show. */
function invisibleHolder(facts: BindFacts): Cause {
  const blind = facts.table?.blindSpots ?? ['this system has no socket table that can be read'];
  const mayBeBound = blind.some((spot) => spot.includes('bound'));
  return {
    id: mayBeBound ? 'bound-not-listening' : 'held-hidden',
    confidence: mayBeBound ? 'likely' : 'possible',
    summary: mayBeBound
      ? `port ${facts.port} is in use, and no listener shows: probably a socket that is bound and does not listen`
      : `port ${facts.port} is in use by a socket that the table does not show`,
    evidence: [
      `${facts.failure?.syscall} failed: ${facts.failure?.code}`,
      `the socket table (${facts.table?.source ?? 'none'}) has no socket in the way`,
      ...blind,
    ],
    remedies: lookCloser(facts),
  };
}

/** A bind that works proves little where two programs may share a port, and here nobody can be looked for. */
function unseen(facts: BindFacts): Cause {
  return {
    id: 'held-hidden',
    confidence: 'possible',
    summary: `the bind worked, but whether somebody shares port ${facts.port} cannot be seen on this system`,
    evidence: ['bind and listen worked', 'this system has no socket table that can be read'],
    remedies: [],
  };
}

/** Free now, yet likely to surprise. */
function warnings(facts: BindFacts): Cause[] {
  const { port, host } = facts;
  if (inRanges(host.reserved, port)) {
    return [
      {
        id: 'reserved-sysctl',
        confidence: 'possible',
        summary: `free, but set aside by this machine's administrator: another service may be meant to have port ${port}`,
        evidence: [
          `${facts.platform === 'win32' ? 'the administered exclusions of netsh int ipv4 show excludedportrange are' : 'net.ipv4.ip_local_reserved_ports has'} ${host.reserved.map(formatRange).join(',')}`,
        ],
        remedies: [],
      },
    ];
  }
  if (host.ephemeral === null || !inRange(host.ephemeral, port)) return [];
  return [
    {
      id: 'ephemeral-range',
      confidence: 'possible',
      summary: `free now, but inside the ephemeral range: an outgoing connection may take port ${port} at any time`,
      evidence: [
        `outgoing connections get local ports from ${formatRange(host.ephemeral)}${rangeSource(facts.platform)}`,
      ],
      remedies: reservePort(facts),
    },
  ];
}

function rangeSource(platform: string): string {
  if (platform === 'win32') return ' (netsh int ipv4 show dynamicport tcp)';
  return platform === 'darwin' ? ' (net.inet.ip.portrange.first and last)' : '';
}

const order = { certain: 0, likely: 1, possible: 2 } as const;

function ranked(causes: Cause[]): Cause[] {
  return causes.toSorted((a, b) => order[a.confidence] - order[b.confidence]);
}
