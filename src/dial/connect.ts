// Opens one connection to one target: TCP by whichever address answers, then TLS where it is asked for.
import { isIP, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext, type SecureContext } from 'node:tls';
import type { Target } from '../core/balance/target.ts';
import { errorCode, errorMessage, ReeveError } from '../core/errors.ts';
import { formatDuration } from '../core/quantity.ts';
import { abortError } from '../core/time.ts';
import { connect, ProbeFailure, withDeadline } from '../health/index.ts';
import { AttemptFailure, attemptFailure } from './failure.ts';
import type { DialTls } from './rules.ts';

export type OpenSocket = (target: Target, signal: AbortSignal) => Promise<Socket>;

export function socketOpener(tls: DialTls | null, timeoutMs: number): OpenSocket {
  const context = tls && contextOf(tls);
  return async (target, signal) => {
    const attempt = { timeout: timeoutMs, phase: 'connecting' };
    try {
      return await withDeadline(timeoutMs, signal, async (deadline) => {
        const socket = await connect(target.host, target.port, attempt, deadline);
        socket.setNoDelay(true);
        if (!tls || !context) return socket;
        attempt.phase = 'in the TLS handshake';
        return secure(socket, target.host, tls, context, deadline);
      });
    } catch (error) {
      if (signal.aborted) throw abortError(signal);
      if (error instanceof ProbeFailure) {
        const { outcome, message } = error;
        throw new AttemptFailure(message, { again: true, counts: outcome.verdict === 'down' }, error);
      }
      if (errorCode(error) === 'timeout')
        throw new AttemptFailure(
          `timed out after ${formatDuration(timeoutMs)} ${attempt.phase}`,
          { again: true, counts: true },
          error,
        );
      throw attemptFailure(error, true);
    }
  };
}

/** @throws ReeveError `usage` now, rather than with the first connection. */
function contextOf(tls: DialTls): SecureContext {
  try {
    return createSecureContext({ minVersion: 'TLSv1.2', ...tls });
  } catch (cause) {
    throw new ReeveError('usage', `tls cannot be used: ${errorMessage(cause)}; ca, cert and key are PEM`, {
      cause,
    });
  }
}

function secure(
  carrier: Socket,
  host: string,
  tls: DialTls,
  secureContext: SecureContext,
  signal: AbortSignal,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const { servername, rejectUnauthorized = true, ALPNProtocols } = tls;
    const socket = connectTls({
      ...{ socket: carrier, host, secureContext, rejectUnauthorized },
      // An address is no server name (RFC 6066 §3): it is verified all the same, as `host`.
      ...(servername !== undefined ? { servername } : isIP(host) === 0 ? { servername: host } : {}),
      ...(ALPNProtocols && { ALPNProtocols }),
    });
    const fail = (error: Error) => {
      done();
      socket.on('error', () => {}).destroy();
      carrier.destroy();
      reject(error);
    };
    const stop = () => fail(abortError(signal));
    const ready = () => {
      done();
      resolve(socket);
    };
    const ended = () => fail(new Error('the connection ended in the TLS handshake'));
    const failed = (error: Error) => fail(new Error(`TLS: ${errorMessage(error)}`, { cause: error }));
    const done = () => {
      signal.removeEventListener('abort', stop);
      socket.off('error', failed).off('secureConnect', ready).off('close', ended);
    };
    if (signal.aborted) return stop();
    signal.addEventListener('abort', stop, { once: true });
    socket.once('error', failed).once('secureConnect', ready).once('close', ended);
  });
}
