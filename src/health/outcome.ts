// What one probe found, and how a system error becomes a stable word.
import { type Family, familyOf } from '../core/address.ts';
import { formatHostPort } from '../core/endpoint.ts';
import { errorCode, errorMessage } from '../core/errors.ts';
import { printable } from '../core/text.ts';
import type { HealthVerdict } from '../core/verdict.ts';
import type { System } from '../system/index.ts';

/** Why a probe did not succeed. `local` is this machine's own fault (descriptors, ports, firewall): never `down`. */
export type ProbeReason =
  | 'refused'
  | 'timeout'
  | 'reset'
  | 'dns'
  | 'unreachable'
  | 'status'
  | 'tls'
  | 'expired'
  | 'expiring'
  | 'protocol'
  | 'mismatch'
  | 'not-serving'
  | 'silent'
  | 'exit'
  | 'warning'
  | 'busy'
  | 'local'
  | 'stalled'
  | 'gateway';

export interface Outcome {
  verdict: HealthVerdict;
  reason: ProbeReason | null;
  /** For a person: which address answered, or what went wrong there. */
  detail: string | null;
  /** Up, and to be looked at: `reason` says why (`busy`, `expiring`, `warning`). */
  degraded?: boolean;
  facts?: Facts;
}

/** What was measured on the way, as far as the probe came. */
export interface Facts {
  /** `host:port` that answered. */
  address?: string;
  status?: number;
  httpVersion?: string;
  redirects?: number;
  contentLength?: number;
  /** `TLSv1.3`. */
  tls?: string;
  /** Wall clock (ms): the earliest end of a certificate that was presented. */
  certificateExpiresAt?: number;
  /** Whether the answer was the expected one. */
  matched?: boolean;
}

export interface ProbeResult extends Outcome {
  /** How long it took, in milliseconds. */
  ms: number;
}

export interface ProbeOptions {
  /** For the whole probe, name look-up to last byte, in milliseconds. */
  timeout: number;
  /** HTTP: GET where absent. */
  method?: string;
  headers?: Readonly<Record<string, string>>;
  /** HTTP statuses that are healthy; 200 to 399 where absent. 429 is degraded unless it is among them. */
  status?: ReadonlySet<number>;
  /** HTTP: how many redirects are followed; 0 where absent. */
  redirects?: number;
  /** TCP, UDP, unix: what is said first; `hex:` before bytes. */
  send?: string;
  /** What the answer must hold; `/…/` is a regular expression. Of HTTP, the body. */
  expect?: string;
  /** Accept certificates that do not verify. */
  insecure?: boolean;
  /** File of certificates to trust in place of the built-in ones. */
  ca?: string;
  /** A certificate that ends sooner, in days, is degraded. Of `tls:` 14 where absent, else not looked at. */
  minDays?: number;
  exec?: ExecOptions;
  /** What `exec:` runs on. */
  system?: Pick<System, 'processes' | 'containment' | 'startable'>;
}

export interface ExecOptions {
  /** In place of the words in the URL. */
  command?: readonly string[];
  /** This process's own where absent. */
  cwd?: string;
  env?: Readonly<Record<string, string | undefined>>;
}

/** One probe under way. */
export interface Attempt extends ProbeOptions {
  /** What a timeout interrupts. */
  phase: string;
  /** What a timeout means, where it is no failure. */
  onTimeout?: Outcome;
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

/** Ends the probe: the other side is down, for this reason. */
export function fail(reason: ProbeReason, detail: string, facts?: Facts): ProbeFailure {
  return new ProbeFailure({ verdict: 'down', reason, detail, ...(facts && { facts }) });
}
