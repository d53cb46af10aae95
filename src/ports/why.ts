// why: really bind the port, then explain what the system said.
import { lookup } from 'node:dns/promises';
import { type BindAddress, canonicalAddress, familyOf } from '../core/address.ts';
import { type Cause, explainBind, invalidArgument, type RivalSocket } from '../core/causes/index.ts';
import { formatEndpoint, maxPort, type Protocol, splitHostPort, splitProtocol } from '../core/endpoint.ts';
import { errorCode, errorMessage, ReeveError } from '../core/errors.ts';
import type { WhyRecord } from '../core/records.ts';
import type { HostFacts, System } from '../system/index.ts';
import { holderRecord, type Lookup, lookUp } from './lookup.ts';

export interface WhyOptions {
  /** SO_REUSEADDR in the bind. Default: as Node does it, set for TCP and not for UDP. */
  reuse?: boolean;
  v6only?: boolean;
}

interface Question {
  protocol: Protocol;
  /** Null: no host was named. */
  host: string | null;
  port: string;
}

/**
 * Explains one bind. Without a host it is `::`, both families at once, as Node's own default is, or 0.0.0.0 where
 * IPv6 is not available.
 * @throws ReeveError `usage` for text that is no port or endpoint at all.
 */
export async function why(system: System, text: string, options: WhyOptions = {}): Promise<WhyRecord> {
  const question = readQuestion(text);
  const port = Number(question.port);
  if (port < 1 || port > maxPort) {
    const cause = invalidArgument(
      `${question.port} is not a port`,
      ['a port is a whole number of 16 bits, and 0 asks for any free one'],
      'choose a port from 1 to 65535',
    );
    return refused(text, cause, null);
  }
  const host = await system.host.facts();
  const resolved = await resolveHost(question.host, host);
  if ('cause' in resolved) {
    return refused(text, resolved.cause, { code: resolved.code, syscall: 'getaddrinfo' });
  }
  return explain(
    system,
    host,
    question.protocol,
    { ...resolved, v6only: options.v6only ?? false },
    port,
    options,
  );
}

function readQuestion(text: string): Question {
  const { protocol, rest } = splitProtocol(text.trim());
  const { host, port } = splitHostPort(rest);
  if (!/^\d{1,10}$/.test(port)) {
    throw new ReeveError('usage', `'${text}' is not a port or endpoint`, {
      hint: 'Accepted: 8080, :8080, 127.0.0.1:8080, [::]:8080, localhost:8080, udp:53',
    });
  }
  return { protocol, host, port };
}

type Resolved = { family: BindAddress['family']; address: string } | { cause: Cause; code: string };

async function resolveHost(host: string | null, { ipv6 }: HostFacts): Promise<Resolved> {
  if (host === null) {
    return ipv6.available ? { family: 'ipv6', address: '::' } : { family: 'ipv4', address: '0.0.0.0' };
  }
  const family = familyOf(host.split('%')[0]!);
  if (family) return { family, address: canonicalAddress(host) };
  try {
    const { address } = await lookup(host);
    return { family: familyOf(address)!, address };
  } catch (error) {
    const cause = invalidArgument(
      `'${host}' is neither an address nor a name that resolves`,
      [`getaddrinfo failed: ${errorCode(error) ?? errorMessage(error)}`],
      'write an address of this machine, or 0.0.0.0 or :: for all of them',
    );
    return { cause, code: errorCode(error) ?? 'ENOTFOUND' };
  }
}

async function explain(
  system: System,
  host: HostFacts,
  protocol: Protocol,
  bind: BindAddress,
  port: number,
  options: WhyOptions,
): Promise<WhyRecord> {
  const reuse = options.reuse ?? protocol === 'tcp';
  const request = { protocol, address: bind.address, port, v6only: bind.v6only };
  const attempt = await system.binder.attempt({ ...request, reuse });
  const failure = attempt.ok ? null : attempt.error;
  // A program that sets no SO_REUSEADDR may fail where this bind worked: worth a warning.
  const bare = failure === null && reuse ? await system.binder.attempt({ ...request, reuse: false }) : null;
  // Reading the table takes descriptors too.
  const outOfDescriptors = failure?.code === 'EMFILE' || failure?.code === 'ENFILE';
  const found = outOfDescriptors ? null : await readTable(system, protocol, port);
  const { verdict, causes } = explainBind({
    platform: system.platform,
    protocol,
    bind,
    port,
    reuse,
    failure,
    ...(bare === null ? {} : { failureWithoutReuse: bare.ok ? null : bare.error }),
    rivals: found ? rivalsIn(found) : [],
    table: found && { source: found.source, blindSpots: found.blindSpots },
    host,
    firewall: (await system.host.firewall?.({ protocol, port, pid: null })) ?? null,
  });
  return {
    endpoint: formatEndpoint({ protocol, host: bind.address, port }),
    verdict,
    error: failure && { code: failure.code, syscall: failure.syscall },
    causes,
  };
}

async function readTable(system: System, protocol: Protocol, port: number): Promise<Lookup | null> {
  try {
    return await lookUp(system, { protocols: [protocol], ports: [{ first: port, last: port }] });
  } catch (error) {
    if (error instanceof ReeveError && error.code === 'unsupported') return null;
    throw error;
  }
}

function rivalsIn({ sockets, tree }: Lookup): RivalSocket[] {
  return sockets.map(({ row, holders, hidden, urls }) => ({
    bind: { family: row.family, address: row.address, v6only: row.v6only },
    state: row.state,
    peer: row.remoteAddress === null ? null : `${row.remoteAddress}:${row.remotePort}`,
    holders: holders.map((holder) => holderRecord(holder, tree)),
    hidden,
    urls,
  }));
}

/** What is wrong before any socket is made. */
function refused(text: string, cause: Cause, error: WhyRecord['error']): WhyRecord {
  return { endpoint: text, verdict: 'refused', error, causes: [cause] };
}
