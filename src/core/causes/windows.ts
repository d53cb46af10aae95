// What Windows means by WSAEACCES, and what can be done there: excluded ranges, http.sys, exclusive owners.
import { isLoopback } from '../address.ts';
import { formatRange, inRange } from '../range.ts';
import type { CauseRecord } from '../records.ts';
import { withWsa } from '../wsa.ts';
import type { BindFacts, BindFailureFact, Cause, RivalSocket } from './facts.ts';

type Remedy = CauseRecord['remedies'][number];

/** System: sockets of drivers. */
const systemPid = 4;

export function deniedOnWindows(facts: BindFacts, failure: BindFailureFact): Cause[] {
  const { port, protocol, host } = facts;
  const evidence = [`${failure.syscall} failed: ${withWsa(failure.code)}`];
  const range = host.excluded.find(
    (one) => inRange(one, port) && (one.protocol === undefined || one.protocol === protocol),
  );
  if (range) {
    return [
      {
        id: 'excluded-range',
        confidence: 'certain',
        summary: `Windows has reserved ports ${formatRange(range)}, most often for Hyper-V, WSL or Docker: nobody listens, and nobody may`,
        evidence: [
          ...evidence,
          `port ${port} is inside ${formatRange(range)} of netsh int ipv4 show excludedportrange protocol=${protocol}`,
        ],
        remedies: excludedRemedies(facts),
      },
    ];
  }
  return [
    {
      id: 'exclusive-owner',
      confidence: 'possible',
      summary: `access to port ${port} is denied, and no excluded range says why: a program may hold it for itself alone (SO_EXCLUSIVEADDRUSE), or security software forbids it`,
      evidence: [...evidence, `port ${port} is in no excluded range`, 'the socket table has nobody on it'],
      remedies: [
        { title: 'look again as administrator, who sees more', command: null },
        { title: 'look at what the firewall or antivirus software has blocked', command: null },
      ],
    },
  ];
}

function excludedRemedies({ port, protocol }: BindFacts): Remedy[] {
  return [
    { title: 'choose a port outside of the excluded ranges', command: 'reeve doctor' },
    {
      title: 'or have WinNAT choose its ranges anew, as administrator',
      command: 'net stop winnat && net start winnat',
    },
    {
      title: 'or reserve the port for yourself while WinNAT is stopped, as administrator; it lasts',
      command: `net stop winnat && netsh int ipv4 add excludedportrange protocol=${protocol} startport=${port} numberofports=1 && net start winnat`,
    },
  ];
}

/** Null where the socket is no business of http.sys. */
export function httpSysCause(facts: BindFacts, rival: RivalSocket, evidence: string[]): Cause | null {
  const ofSystem = rival.holders.some(({ pid }) => pid === systemPid);
  if (facts.platform !== 'win32' || !ofSystem || rival.urls.length === 0) return null;
  return {
    id: 'http-sys',
    confidence: 'certain',
    summary: `http.sys, the web server in Windows itself, has port ${facts.port} for ${rival.urls.join(', ')}`,
    evidence: [...evidence, ...rival.urls.map((url) => `registered: ${url}`)],
    remedies: [
      { title: 'see who registered it', command: 'netsh http show servicestate view=requestq' },
      {
        title: 'stop the service or program behind it, such as IIS, as administrator',
        command: 'net stop W3SVC',
      },
      { title: 'or give your program another port', command: null },
    ],
  };
}

/** A plain bind worked beside another socket, or was refused because that one is exclusive. */
export function sharingLines(facts: BindFacts): string[] {
  if (facts.platform === 'darwin' && facts.failure === null && facts.reuse) {
    return [
      'a bind works beside it all the same: with SO_REUSEADDR, macOS lets a wildcard and a single address share a port, and the single address gets its connections',
    ];
  }
  if (facts.platform !== 'win32' || facts.protocol !== 'tcp') return [];
  if (facts.failure === null) {
    return [
      'a plain bind works beside it all the same: Windows then gives connections to the more specific address, so one of the two gets none',
    ];
  }
  return facts.failure.code === 'EACCES' ? ['it is held exclusively (SO_EXCLUSIVEADDRUSE)'] : [];
}

/** How an attempt was made, in words. */
export function flagWords(platform: string, protocol: string, reuse: boolean): string {
  if (platform === 'win32' && protocol === 'tcp')
    return reuse ? 'as Node does it, with no option' : 'with SO_EXCLUSIVEADDRUSE';
  return `${reuse ? 'with' : 'without'} SO_REUSEADDR`;
}

export function serviceRemedies(rival: RivalSocket): Remedy[] {
  const services = rival.holders.flatMap(({ service }) => (service ? [service] : []));
  return services
    .filter((service) => !service.includes(','))
    .map((service) => ({ title: `stop the Windows service ${service}`, command: `net stop "${service}"` }));
}

/** Free, and still nobody outside will get an answer. */
export function firewallWarning({ firewall, bind, port, protocol }: BindFacts): Cause[] {
  if (!firewall || isLoopback(bind.address)) return [];
  const { verdict, command } = firewall;
  if (verdict !== 'missing' && verdict !== 'blocked') return [];
  return [
    {
      id: 'firewall',
      confidence: 'possible',
      summary:
        verdict === 'missing'
          ? `free, but no rule of the firewall lets other machines reach ${protocol} ${port}, unless your program has one of its own`
          : `free, but a rule of the firewall blocks ${protocol} ${port} from other machines`,
      evidence: ['the rules of Windows Defender Firewall for incoming connections'],
      remedies: [
        verdict === 'missing'
          ? { title: 'let other machines reach this port, as administrator', command }
          : { title: 'look for the rule that blocks it', command },
      ],
    },
  ];
}
