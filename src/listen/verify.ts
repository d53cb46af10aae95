// Verified listening: a bind that worked does not prove that connections to the address reach this process.
import { connect, type Socket } from 'node:net';
import { unmapped } from '../core/address.ts';
import { formatHostPort } from '../core/endpoint.ts';
import { errorCode } from '../core/errors.ts';
import type { Binding } from './binding.ts';
import { BoundListener } from './server.ts';

export interface Verification {
  /** Null where no address could be tried. */
  verified: boolean | null;
  /** One line for each address, on what happened. */
  words: string[];
}

export const defaultTimeoutMs = 2000;
// This machine lacks the address (a loopback without ::1, a link-local one without its zone): that says nothing about the binding.
export const notApplicable = new Set(['EADDRNOTAVAIL', 'ENETUNREACH', 'EAFNOSUPPORT', 'EINVAL']);

/**
 * Dials each advertised address once and waits until the binding sees that very connection. It is swallowed: never
 * served, never counted. Others who come meanwhile wait, at most `timeoutMs`. The answer is put on the binding too.
 * (On Windows a second socket may take the traffic of 127.0.0.1 from one on 0.0.0.0: nodejs/node#14618.)
 */
export async function verifyListening(
  binding: Binding,
  signal: AbortSignal,
  timeoutMs = defaultTimeoutMs,
): Promise<Verification> {
  if (!(binding instanceof BoundListener)) return { verified: null, words: ['not a socket of this process'] };
  const release = binding.hold();
  try {
    const answers: Answer[] = [];
    for (const host of advertised(binding)) answers.push(await dialItself(binding, host, signal, timeoutMs));
    return sumUp(binding, answers);
  } finally {
    release();
  }
}

/** The answer is put on the binding too. */
export function sumUp(binding: { verified: boolean | null }, answers: Answer[]): Verification {
  const tried = answers.filter(({ seen }) => seen !== null);
  binding.verified = tried.length === 0 ? null : tried.every(({ seen }) => seen);
  return { verified: binding.verified, words: answers.map(({ words }) => words) };
}

export function advertised({ address, v6only }: { address: string; v6only: boolean }): string[] {
  if (address === '0.0.0.0') return ['127.0.0.1'];
  if (address === '::') return v6only ? ['::1'] : ['127.0.0.1', '::1'];
  return [address];
}

export interface Answer {
  seen: boolean | null;
  words: string;
}

/** Matches by the dialling end's own address and port: no other connection can have both at this moment. */
function dialItself(
  binding: BoundListener,
  host: string,
  signal: AbortSignal,
  timeoutMs: number,
): Promise<Answer> {
  const where = formatHostPort(host, binding.port);
  return new Promise((resolve) => {
    const dialler = connect({ host, port: binding.port });
    const settle = (seen: boolean | null, words: string) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', cancelled);
      unwatch();
      dialler.destroy();
      if (binding.listening()) resolve({ seen, words });
      else resolve({ seen: null, words: `${where} was closed meanwhile` });
    };
    const look = () => {
      if (dialler.localPort === undefined) return;
      const own = binding.claim((socket) => isOtherEnd(socket, dialler));
      if (!own) return;
      own.on('error', ignore);
      // A reset leaves no TIME_WAIT behind.
      own.resetAndDestroy();
      settle(true, `${where} reaches this listener`);
    };
    const cancelled = () => settle(null, `${where} was not tried to the end: cancelled`);
    const late = () =>
      dialler.readyState === 'opening'
        ? settle(false, `${where} did not answer within ${timeoutMs} ms`)
        : settle(false, `somebody else answers on ${where}: the connection did not arrive at this listener`);
    const timer = setTimeout(late, timeoutMs);
    const unwatch = binding.watch(look);
    signal.addEventListener('abort', cancelled, { once: true });
    if (signal.aborted) cancelled();
    dialler.on('connect', look);
    dialler.on('error', (error) => {
      const code = errorCode(error) ?? 'an error';
      if (notApplicable.has(code)) settle(null, `${where} was not tried: this machine lacks it (${code})`);
      else settle(false, `${where} did not take the connection (${code})`);
    });
    // Somebody else may hang up at once; a connection of ours cannot end before it was claimed.
    dialler.on('end', () =>
      settle(false, `somebody else answers on ${where}, and ended the connection at once`),
    );
    dialler.resume();
  });
}

function isOtherEnd(accepted: Socket, dialler: Socket): boolean {
  return (
    accepted.remotePort === dialler.localPort &&
    unmapped(accepted.remoteAddress ?? '') === unmapped(dialler.localAddress ?? '-')
  );
}

function ignore(): void {}
