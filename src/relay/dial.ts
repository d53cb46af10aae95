// Connects to one target within a time, once: TCP, then the PROXY header, then TLS, as far as they are asked for.
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { resettable, type TargetTls } from '../listen/index.ts';
import type { Target } from './engine.ts';

/** What a target hears before the client's words. */
export interface Opening {
  header: Buffer | null;
  tls: TargetTls | null;
  /** What the client's handshake has agreed on (ALPN): the target is to speak the same. */
  protocol: string | null;
}

/**
 * Calls exactly one of `connected` and `failed`, never at once; the returned function cancels, and then neither is
 * called. The socket is handed over without listeners.
 */
export function dialTarget(
  target: Target,
  opening: Opening,
  timeoutMs: number,
  connected: (socket: Socket) => void,
  failed: (error: unknown) => void,
): () => void {
  const { host, port } = target;
  const carrier = connect({ host, port, allowHalfOpen: true, noDelay: true });
  let socket: Socket = carrier;
  const timer = setTimeout(() => {
    socket.destroy(Object.assign(new Error('connect timed out'), { code: 'ETIMEDOUT' }));
  }, timeoutMs);
  const onError = (error: unknown) => {
    clearTimeout(timer);
    failed(error);
  };
  const done = () => {
    clearTimeout(timer);
    socket.off('error', onError);
    connected(socket);
  };
  carrier.once('error', onError);
  carrier.once('connect', () => {
    // A loopback port that nobody listens on may be connected to itself (Linux, simultaneous open).
    if (carrier.localPort === carrier.remotePort && carrier.localAddress === carrier.remoteAddress) {
      carrier.destroy(Object.assign(new Error('connected to itself'), { code: 'ECONNREFUSED' }));
      return;
    }
    if (opening.header) carrier.write(opening.header);
    if (!opening.tls) {
      done();
      return;
    }
    carrier.off('error', onError).on('error', ignore);
    socket = secure(carrier, target, opening.tls, opening.protocol).once('error', onError);
    socket.once('secureConnect', done);
  });
  return () => {
    clearTimeout(timer);
    socket.off('error', onError);
    socket.on('error', ignore);
    socket.destroy();
  };
}

function secure(carrier: Socket, { host }: Target, tls: TargetTls, protocol: string | null): Socket {
  const { context, servername, verify } = tls;
  const name = servername ?? (isIP(host) === 0 ? host : undefined);
  const secured = connectTls({
    socket: carrier,
    host,
    secureContext: context,
    // An address is no server name (RFC 6066 §3): it is verified all the same, as `host`.
    ...(name !== undefined && { servername: name }),
    rejectUnauthorized: verify,
    ...(protocol !== null && { ALPNProtocols: [protocol] }),
  });
  return resettable(secured, carrier);
}

function ignore(): void {}
