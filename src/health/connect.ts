// Connects to a name by whichever of its addresses answers, IPv6 and IPv4 alike.
import { lookup } from 'node:dns/promises';
import { connect as connectSocket, type Socket } from 'node:net';
import { familyOf } from '../core/address.ts';
import { formatHostPort } from '../core/endpoint.ts';
import { errorCode } from '../core/errors.ts';
import { printable } from '../core/text.ts';
import { abortError } from '../core/time.ts';
import { type Attempt, failureAt, type Outcome, ProbeFailure } from './outcome.ts';

/** RFC 8305 §5: how long one address may be silent before the next is tried beside it. */
const nextAddressAfter = 250;
/** More addresses than this say nothing new about one name's health. */
const maxAddresses = 8;

/**
 * @throws ProbeFailure when no address accepts; the signal's own error when it aborts.
 */
export async function connect(
  host: string,
  port: number,
  attempt: Attempt,
  signal: AbortSignal,
): Promise<Socket> {
  attempt.phase = 'looking up the name';
  const addresses = await resolve(host, signal);
  attempt.phase = 'connecting';
  return connectFirst(addresses, port, signal);
}

/** `localhost` is both loopbacks whatever the hosts file says (RFC 6761 §6.3), without a look-up. */
export async function resolve(host: string, signal: AbortSignal): Promise<string[]> {
  if (familyOf(host) !== null) return [host];
  if (host.toLowerCase() === 'localhost') return ['::1', '127.0.0.1'];
  try {
    const found = await abandonable(lookup(host, { all: true, order: 'verbatim' }), signal);
    return alternate(found.map(({ address }) => address)).slice(0, maxAddresses);
  } catch (error) {
    if (signal.aborted) throw error;
    const detail = `'${printable(host)}' has no address (${errorCode(error) ?? 'unknown error'})`;
    throw new ProbeFailure({ verdict: 'down', reason: 'dns', detail });
  }
}

/** getaddrinfo cannot be cancelled: its late answer is dropped. */
function abandonable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(abortError(signal));
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

/** Families in turn, the resolver's favourite first, so that eight dead IPv6 addresses never hide IPv4. */
export function alternate(addresses: string[]): string[] {
  const first = addresses.filter((address) => familyOf(address) === familyOf(addresses[0]!));
  const second = addresses.filter((address) => familyOf(address) !== familyOf(addresses[0]!));
  const longest = Math.max(first.length, second.length);
  return Array.from({ length: longest }, (_, i) => [first[i], second[i]])
    .flat()
    .filter((address) => address !== undefined);
}

/** The first connection that is accepted; the others are given up. */
function connectFirst(addresses: string[], port: number, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const pending = new Set<Socket>();
    const failures: Outcome[] = [];
    let next = 0;
    let timer: NodeJS.Timeout | undefined;

    const finish = () => {
      clearTimeout(timer);
      next = addresses.length;
      signal.removeEventListener('abort', cancel);
      for (const socket of pending) socket.destroy();
    };
    const cancel = () => {
      finish();
      reject(abortError(signal));
    };
    const win = (socket: Socket) => {
      pending.delete(socket);
      finish();
      resolve(socket);
    };
    const lose = (socket: Socket, outcome: Outcome) => {
      if (!pending.delete(socket)) return;
      socket.destroy();
      failures.push(outcome);
      if (next < addresses.length) tryNext();
      else if (pending.size === 0) {
        finish();
        reject(new ProbeFailure(worst(failures)));
      }
    };
    const tryNext = () => {
      clearTimeout(timer);
      const address = addresses[next++];
      if (address === undefined) return;
      const socket = connectSocket({ host: address, port, autoSelectFamily: false });
      pending.add(socket);
      socket.on('error', (error) => lose(socket, failureAt(error, address, port)));
      socket.once('connect', () =>
        isSelfConnected(socket) ? lose(socket, selfConnected(address, port)) : win(socket),
      );
      if (next < addresses.length) timer = setTimeout(tryNext, nextAddressAfter);
    };

    if (signal.aborted) return cancel();
    signal.addEventListener('abort', cancel, { once: true });
    tryNext();
  });
}

/**
 * A closed port in the ephemeral range may be picked as the source port of the very connection that probes it;
 * TCP's simultaneous open (RFC 9293 §3.5) then connects the socket to itself.
 */
export function isSelfConnected(
  socket: Pick<Socket, 'localPort' | 'remotePort' | 'localAddress' | 'remoteAddress'>,
): boolean {
  return socket.localPort === socket.remotePort && socket.localAddress === socket.remoteAddress;
}

function selfConnected(address: string, port: number): Outcome {
  const detail = `connection refused (${formatHostPort(address, port)} answered with the probe's own connection)`;
  return { verdict: 'down', reason: 'refused', detail };
}

/** Our own fault counts most, then an address that was reached at all. */
function worst(failures: Outcome[]): Outcome {
  const local = failures.find(({ verdict }) => verdict === 'unknown');
  const reached = failures.find(({ reason }) => reason !== 'unreachable');
  const chosen = local ?? reached ?? failures[0]!;
  return { ...chosen, detail: failures.map(({ detail }) => detail).join(', ') };
}
