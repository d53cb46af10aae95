// What one probe found, and how a system error becomes a stable word.
import { type Family, familyOf } from '../core/address.ts';
import { formatHostPort } from '../core/endpoint.ts';
import { errorCode, errorMessage } from '../core/errors.ts';
import { printable } from '../core/text.ts';
import type { HealthVerdict } from '../core/verdict.ts';

/** Why a probe did not succeed. `local` is this machine's own fault (descriptors, ports, firewall): never `down`. */
export type ProbeReason =
  | 'refused'
  | 'timeout'
  | 'reset'
  | 'dns'
  | 'unreachable'
  | 'status'
  | 'tls'
  | 'protocol'
  | 'local'
  | 'stalled';

export interface Outcome {
  verdict: HealthVerdict;
  reason: ProbeReason | null;
  /** For a person: which address answered, or what went wrong there. */
  detail: string | null;
}

export interface ProbeResult extends Outcome {
  /** How long it took, in milliseconds. */
  ms: number;
}

export interface ProbeOptions {
  /** For the whole probe, name look-up to last byte, in milliseconds. */
  timeout: number;
  /** HTTP statuses that are healthy; 200 to 399 where absent. */
  status?: ReadonlySet<number>;
  /** Accept certificates that do not verify. */
  insecure?: boolean;
}

/** One probe under way; `phase` says what a timeout interrupted. */
export interface Attempt extends ProbeOptions {
  phase: string;
}

/** Ends a probe early with what was found. */
export class ProbeFailure extends Error {
  readonly outcome: Outcome;

  constructor(outcome: Outcome) {
    super(outcome.detail ?? outcome.reason ?? 'failed');
    this.outcome = outcome;
  }
}

const phrases: Record<string, [ProbeReason, string]> = {
  ECONNREFUSED: ['refused', 'connection refused'],
  ECONNRESET: ['reset', 'connection reset'],
  EPIPE: ['reset', 'connection reset'],
  ECONNABORTED: ['reset', 'connection reset'],
  ETIMEDOUT: ['timeout', 'no answer'],
  EHOSTUNREACH: ['unreachable', 'host unreachable'],
  EHOSTDOWN: ['unreachable', 'host unreachable'],
  ENETUNREACH: ['unreachable', 'network unreachable'],
  ENETDOWN: ['unreachable', 'network down'],
  EAFNOSUPPORT: ['unreachable', 'address family not available'],
  EINVAL: ['unreachable', 'not an address to connect to'],
  EMFILE: ['local', 'this process has no file descriptor left'],
  ENFILE: ['local', 'this machine has no file descriptor left'],
  ENOBUFS: ['local', 'this machine has no socket buffer left'],
  ENOMEM: ['local', 'this machine has no memory left'],
  EACCES: ['local', 'this machine does not permit the connection'],
  EPERM: ['local', 'this machine does not permit the connection'],
};

/**
 * EADDRNOTAVAIL is two things: no IPv6 address to connect from (IPv6 is off), or, on IPv4, no free source port.
 */
function sourceAddressMissing(family: Family | null): [ProbeReason, string] {
  return family === 'ipv6'
    ? ['unreachable', 'no address of this family']
    : ['local', 'this machine has no source port left'];
}

/** The outcome of a socket error at `address:port`. */
export function failureAt(error: unknown, address: string, port: number): Outcome {
  const code = errorCode(error) ?? '';
  const known = code === 'EADDRNOTAVAIL' ? sourceAddressMissing(familyOf(address)) : phrases[code];
  const [reason, words] = known ?? (['protocol', printable(errorMessage(error)).slice(0, 200)] as const);
  const detail = `${words} (${formatHostPort(address, port)})`;
  return { verdict: reason === 'local' ? 'unknown' : 'down', reason, detail };
}
