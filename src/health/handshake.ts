// A TLS handshake over a connection that stands, and what it tells of certificates.
import { readFile } from 'node:fs/promises';
import { isIP, type Socket } from 'node:net';
import { connect, type DetailedPeerCertificate, type TLSSocket } from 'node:tls';
import { formatHostPort } from '../core/endpoint.ts';
import { errorCode, errorMessage } from '../core/errors.ts';
import { printable } from '../core/text.ts';
import { type Attempt, type Facts, fail, failureAt, type Outcome, ProbeFailure } from './outcome.ts';
import { settled } from './settled.ts';

const day = 86_400_000;
/** Longer chains are not checked further. */
const longestChain = 10;

export interface Peer {
  address: string;
  port: number;
}

export interface HandshakeOptions {
  /** The name that the certificate must have. */
  host: string;
  alpn?: string[];
}

/** @throws ProbeFailure `tls`, or `expired` for a certificate that has ended. */
export async function handshake(
  socket: Socket,
  { host, alpn }: HandshakeOptions,
  peer: Peer,
  attempt: Attempt,
  signal: AbortSignal,
): Promise<TLSSocket> {
  const ca = await trusted(attempt);
  attempt.phase = 'in the TLS handshake';
  const stream = connect({
    socket,
    host,
    // RFC 6066 §3: a server name is never an address.
    ...(isIP(host) === 0 ? { servername: host } : {}),
    rejectUnauthorized: attempt.insecure !== true,
    ...(alpn && { ALPNProtocols: alpn }),
    ...(ca && { ca }),
  });
  // Also what comes once the answer is known.
  stream.on('error', () => {});
  try {
    return await settled<TLSSocket>(signal, ({ resolve, reject }) => {
      stream.once('error', (error) => reject(new ProbeFailure(tlsFailure(error, peer))));
      stream.once('secureConnect', () => resolve(stream));
    });
  } catch (error) {
    stream.destroy();
    throw error;
  }
}

/** The certificates of `ca`; read anew each time, since they are renewed. Undefined: the built-in ones. */
export async function trusted({ ca }: Attempt): Promise<Buffer | undefined> {
  if (ca === undefined) return undefined;
  try {
    return await readFile(ca);
  } catch (error) {
    const detail = `cannot read the certificates in ${printable(ca)} (${errorCode(error) ?? 'unknown error'})`;
    throw new ProbeFailure({ verdict: 'unknown', reason: 'local', detail });
  }
}

function tlsFailure(error: Error, { address, port }: Peer): Outcome {
  const code = errorCode(error);
  if (code === 'ECONNRESET') return failureAt(error, address, port);
  // OpenSSL's message is a line of its own source; its reason is the part for people.
  const words = printable((error as { reason?: string }).reason ?? errorMessage(error)).slice(0, 200);
  const detail = `${words} (${code ?? 'TLS'}, ${formatHostPort(address, port)})`;
  return { verdict: 'down', reason: code === 'CERT_HAS_EXPIRED' ? 'expired' : 'tls', detail };
}

export function tlsFacts(stream: TLSSocket): Facts {
  const expiry = earliestExpiry(stream);
  return {
    tls: stream.getProtocol() ?? 'unknown',
    ...(expiry !== null && { certificateExpiresAt: expiry }),
  };
}

/** The earliest end (wall clock, ms) of the certificates that were presented. */
function earliestExpiry(stream: TLSSocket): number | null {
  const ends: number[] = [];
  let at: DetailedPeerCertificate | undefined = stream.getPeerCertificate(true);
  for (let depth = 0; at?.valid_to && depth < longestChain; depth++) {
    const end = Date.parse(at.valid_to);
    if (Number.isFinite(end)) ends.push(end);
    // A root is its own issuer.
    at = at.issuerCertificate === at ? undefined : at.issuerCertificate;
  }
  return ends.length === 0 ? null : Math.min(...ends);
}

/**
 * What the end of a certificate makes of an answer that was otherwise good.
 * @throws ProbeFailure `expired` where it has ended, even where certificates need not verify.
 */
export function judgeExpiry(good: Outcome, minDays: number, now: number): Outcome {
  const { certificateExpiresAt: end } = good.facts ?? {};
  if (end === undefined) return good;
  const date = new Date(end).toISOString().slice(0, 10);
  if (end <= now) throw fail('expired', `the certificate has ended on ${date}`, good.facts);
  const days = Math.floor((end - now) / day);
  if (days >= minDays || good.degraded) return good;
  const detail = `${good.detail}; the certificate ends on ${date}, in ${days} days`;
  return { ...good, reason: 'expiring', degraded: true, detail };
}
