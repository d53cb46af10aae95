// tls://host:port: a handshake and its certificates; degraded when they end soon, down when they have.
import { formatHostPort } from '../core/endpoint.ts';
import type { ProbeUrl } from '../core/probe-url.ts';
import { connect } from './connect.ts';
import { handshake, judgeExpiry, tlsFacts } from './handshake.ts';
import type { Attempt, Outcome } from './outcome.ts';

const usualMinDays = 14;

export async function probeTls(
  { host, port }: ProbeUrl,
  attempt: Attempt,
  signal: AbortSignal,
): Promise<Outcome> {
  const socket = await connect(host, port, attempt, signal);
  const peer = { address: socket.remoteAddress ?? host, port };
  const stream = await handshake(socket, { host }, peer, attempt, signal);
  const address = formatHostPort(peer.address, port);
  const facts = { address, ...tlsFacts(stream) };
  stream.end();
  stream.destroy();
  const ends = facts.certificateExpiresAt;
  const until = ends === undefined ? '' : `, certificate until ${new Date(ends).toISOString().slice(0, 10)}`;
  const good: Outcome = {
    verdict: 'up',
    reason: null,
    detail: `${facts.tls} with ${address}${until}`,
    facts,
  };
  return judgeExpiry(good, attempt.minDays ?? usualMinDays, Date.now());
}
