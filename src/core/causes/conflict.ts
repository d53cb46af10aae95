// EADDRINUSE and its relatives: which of the sockets on the same port stands in the way, and how.
import { addressesOverlap, type BindAddress, isWildcard, unmapped } from '../address.ts';
import { formatHostPort } from '../endpoint.ts';
import type { HolderRecord } from '../records.ts';
import { plural } from '../text.ts';
import { withWsa } from '../wsa.ts';
import type { BindFacts, Cause, RivalSocket } from './facts.ts';
import { freeIt, lookCloser, separateFamilies, setReuse, timeWaitWords, waitForFree } from './remedies.ts';
import { flagWords, httpSysCause, sharingLines } from './windows.ts';

const receiving = new Set(['listen', 'unconnected']);

/** Rivals that want the same packets. A `::` whose v6only is not known is taken to be dual stack, as is the default. */
function overlapping(facts: BindFacts): RivalSocket[] {
  return facts.rivals.filter(({ bind }) =>
    addressesOverlap(facts.bind, { ...bind, v6only: bind.v6only ?? false }),
  );
}

/** Sockets that own the port for receiving, or keep it for themselves: with one of these a port is not free. */
export function holdingRivals(facts: BindFacts): RivalSocket[] {
  return overlapping(facts).filter(({ state }) => receiving.has(state) || state === 'bound');
}

/** Causes by sockets that own the port, then by the remains of connections. */
export function conflictCauses(facts: BindFacts): Cause[] {
  const causes = [
    ...holdingRivals(facts).map((rival) => holdingCause(facts, rival)),
    ...remainderCauses(facts),
  ];
  return mergeSame(causes);
}

function holdingCause(facts: BindFacts, rival: RivalSocket): Cause {
  const where = formatHostPort(rival.bind.address, facts.port);
  const evidence = [
    `the socket table has ${facts.protocol} ${where} in state ${rival.state}`,
    ...rival.holders.map(holderLine),
    ...(rival.hidden ? [`its holder cannot be shown: ${rival.hidden.reason}`] : []),
    attemptLine(facts),
    ...sharingLines(facts),
  ];
  const ofHttpSys = httpSysCause(facts, rival, evidence);
  if (ofHttpSys) return ofHttpSys;
  const common = {
    confidence: 'certain' as const,
    evidence,
    remedies: rival.hidden ? lookCloser(facts) : freeIt(facts, rival),
  };
  const holder = holderNames(rival);
  if (rival.state === 'bound') {
    return {
      ...common,
      id: 'bound-not-listening',
      summary: `${holder} has bound ${where} without listening on it: the port is taken, though no list of listeners shows it`,
    };
  }
  const relation = relate(facts.bind, rival.bind);
  if (facts.failure === null && facts.protocol === 'udp') {
    return {
      ...common,
      id: 'reuse-mismatch',
      summary: `${holder} receives on ${where}; both set SO_REUSEADDR, so a second bind works, and only one of them gets the datagrams`,
    };
  }
  if (relation === 'same') {
    if (rival.hidden) {
      return { ...common, id: 'held-hidden', summary: `${where} is held by a process that cannot be shown` };
    }
    return { ...common, id: 'held', summary: `${where} is held by ${holder}` };
  }
  if (relation === 'families') {
    return {
      ...common,
      id: 'dual-stack-overlap',
      summary: `${holder} has ${where}; a :: socket that is not IPV6_V6ONLY takes IPv4 too, so the two collide`,
      remedies: [...common.remedies, separateFamilies],
    };
  }
  const wide = isWildcard(rival.bind.address);
  return {
    ...common,
    id: 'wildcard-overlap',
    summary: wide
      ? `${holder} has ${where}, which covers every address, also ${facts.bind.address}`
      : `${holder} has ${where}, one of the addresses that ${facts.bind.address} would cover`,
  };
}

type Relation = 'same' | 'families' | 'wildcard';

function relate(a: BindAddress, b: RivalSocket['bind']): Relation {
  const left = unmapped(a.address);
  const right = unmapped(b.address);
  if (left === right) return 'same';
  return left.includes(':') === right.includes(':') ? 'wildcard' : 'families';
}

/** Connections and TIME_WAIT stand in the way only of binds without SO_REUSEADDR, or when they had none themselves. */
function remainderCauses(facts: BindFacts): Cause[] {
  const blocked = facts.failure?.code === 'EADDRINUSE';
  const blockedWithoutReuse = facts.failureWithoutReuse?.code === 'EADDRINUSE';
  if (!blocked && !blockedWithoutReuse) return [];
  // With SO_REUSEADDR set, and an owner in the way, they are not what it failed for.
  if (blocked && facts.reuse && holdingRivals(facts).length > 0) return [];
  // On Windows nobody needs a flag for this, and one that asks for exclusive use is refused.
  const wanted =
    facts.platform === 'win32'
      ? 'free for a program that does not ask for exclusive use (SO_EXCLUSIVEADDRUSE); one that does'
      : 'free for a program that sets SO_REUSEADDR; one that does not';
  const flag = facts.platform === 'win32' ? '' : ', and the bind did not set SO_REUSEADDR';
  const others = overlapping(facts).filter(({ state }) => !receiving.has(state) && state !== 'bound');
  const waiting = others.filter(({ state }) => state === 'time-wait');
  const connected = others.filter(({ state }) => state !== 'time-wait');
  const alone = blocked && holdingRivals(facts).length === 0;
  const causes: Cause[] = [];
  if (connected.length > 0) {
    causes.push({
      id: 'connected-source-port',
      confidence: alone ? 'certain' : 'possible',
      summary: blocked
        ? `nobody listens, but ${plural(connected.length, 'connection')} of this machine ${connected.length === 1 ? 'uses' : 'use'} port ${facts.port} as local port`
        : `${wanted} is refused while ${plural(connected.length, 'connection')} on port ${facts.port} last`,
      evidence: [
        ...connected.slice(0, 5).flatMap((rival) => connectionLines(facts, rival)),
        attemptLine(facts),
      ],
      remedies: [
        { title: 'see whose connections they are', command: `reeve who ${facts.port} --all-states` },
        ...(facts.reuse ? [] : [setReuse(facts)]),
        waitForFree(facts),
      ],
    });
  }
  if (waiting.length > 0) {
    causes.push({
      id: 'time-wait',
      confidence: alone && connected.length === 0 ? 'certain' : 'possible',
      summary: blocked
        ? `${plural(waiting.length, 'closed connection')} of port ${facts.port} ${waiting.length === 1 ? 'is' : 'are'} in TIME_WAIT, for ${timeWaitWords(facts.platform)}${facts.reuse ? '' : flag}`
        : `${wanted} is refused until ${plural(waiting.length, 'closed connection')} in TIME_WAIT ${waiting.length === 1 ? 'is' : 'are'} over (${timeWaitWords(facts.platform)})`,
      evidence: [`${plural(waiting.length, 'socket')} in TIME_WAIT, owned by no process`, attemptLine(facts)],
      remedies: [setReuse(facts), waitForFree(facts)],
    });
  }
  return causes;
}

function connectionLines(facts: BindFacts, rival: RivalSocket): string[] {
  const line = `${formatHostPort(rival.bind.address, facts.port)} → ${rival.peer ?? '?'} in state ${rival.state}`;
  return [line, ...rival.holders.map(holderLine)];
}

function attemptLine({ platform, protocol, failure, failureWithoutReuse, reuse }: BindFacts): string {
  const flag = flagWords(platform, protocol, reuse);
  const code = (name: string) => (platform === 'win32' ? withWsa(name) : name);
  if (failure) return `${failure.syscall} ${flag} failed: ${code(failure.code)}`;
  if (failureWithoutReuse) {
    const without = platform === 'win32' ? flagWords(platform, protocol, false) : 'without it';
    return `bind and listen ${flag} worked; ${failureWithoutReuse.syscall} ${without} failed: ${code(failureWithoutReuse.code)}`;
  }
  return `bind and listen ${flag} worked`;
}

function holderLine(holder: HolderRecord): string {
  const command = holder.command && holder.command !== holder.name ? `: ${holder.command}` : '';
  return `PID ${holder.pid} (${holder.name})${holder.user ? ` of ${holder.user}` : ''}${command}`;
}

function holderNames({ holders, hidden }: RivalSocket): string {
  if (holders.length === 0) return hidden ? 'a process that cannot be shown' : 'the system itself';
  const first = holders[0]!;
  const rest = holders.length > 1 ? ` and ${holders.length - 1} more` : '';
  return `${first.name} (PID ${first.pid}${rest}${first.user ? `, user ${first.user}` : ''})`;
}

/** SO_REUSEPORT groups give one row a worker: they are one cause with all its evidence. */
function mergeSame(causes: Cause[]): Cause[] {
  const merged = new Map<string, Cause>();
  for (const cause of causes) {
    const key = `${cause.id} ${cause.summary}`;
    const before = merged.get(key);
    if (before) before.evidence = [...new Set([...before.evidence, ...cause.evidence])];
    else merged.set(key, cause);
  }
  return [...merged.values()];
}
