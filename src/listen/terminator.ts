// TLS handshakes of clients, each within a time and with one outcome.
import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { errorCode, errorMessage } from '../core/errors.ts';
import type { GreetingRefusal } from './binding.ts';
import type { Credentials } from './credentials.ts';
import { resettable } from './secured.ts';
import { matchName } from './server-names.ts';

export type Handshake =
  | { secured: TLSSocket; serverName: string | null; protocol: string | null }
  | { failure: GreetingRefusal; why: string };

export class Terminator {
  /** Listens nowhere: connections are put into it (tls.Server, event 'connection'). */
  private readonly server: Server;
  private readonly pending = new Map<Socket, Pending>();

  /** `isKnown` is asked about the names that clients ask for; others are refused. */
  constructor(credentials: Credentials, isKnown: (serverName: string) => boolean) {
    const { options, requestCert, rejectUnauthorized, alpn, contexts } = credentials;
    this.server = createServer({
      ...options,
      requestCert,
      rejectUnauthorized,
      ...(alpn && { ALPNProtocols: alpn }),
      SNICallback(name, done) {
        if (!isKnown(name)) done(unknownName());
        else done(null, contexts.get(matchName(name, contexts) ?? ''));
      },
    });
    this.server.on('secureConnection', (secured) => {
      const { servername, alpnProtocol } = secured as TLSSocket & { servername: string | false };
      this.settle(secured, {
        secured,
        serverName: servername || null,
        protocol: alpnProtocol || null,
      });
    });
    this.server.on('tlsClientError', (error, secured) => {
      const why = secured.authorizationError ? String(secured.authorizationError) : errorMessage(error);
      const failure = secured.authorizationError ? 'tls-client-certificate' : failureOf(errorCode(error));
      this.settle(secured, { failure, why });
    });
  }

  /** Calls `settle` once, never at once; a failed socket is left to the caller to cut. Returns what gives up, without a call. */
  secure(socket: Socket, timeoutMs: number, settle: (handshake: Handshake) => void): () => void {
    const pending: Pending = { outcome: null, finish: () => give(pending.outcome ?? gone) };
    const stop = () => {
      clearTimeout(timer);
      socket.off('close', onClose);
      this.pending.delete(socket);
    };
    const give = (handshake: Handshake) => {
      if (!this.pending.has(socket)) return;
      stop();
      settle(handshake);
    };
    // Why it was closed is told a moment later.
    const onClose = () => void setImmediate(pending.finish);
    const timer = setTimeout(
      () => give({ failure: 'tls-timeout', why: `no handshake within ${timeoutMs} ms` }),
      timeoutMs,
    );
    this.pending.set(socket, pending);
    socket.on('error', ignore).on('close', onClose);
    // The TLS socket inherits it: who ends in the middle of the handshake is gone.
    socket.allowHalfOpen = false;
    this.server.emit('connection', socket);
    return stop;
  }

  private settle(secured: TLSSocket, handshake: Handshake): void {
    // Node has no public name for the socket that carries it.
    const carrier = (secured as unknown as { _parent: Socket })._parent;
    const pending = this.pending.get(carrier);
    if (!pending) {
      secured.destroy();
      return;
    }
    if ('secured' in handshake) resettable(secured, carrier).allowHalfOpen = true;
    pending.outcome ??= handshake;
    // Not within the event: whoever cut the socket there would take it from under Node's own feet, which ends the
    // whole process (Node 20.20, TLSWrap).
    setImmediate(() => {
      if (secured.destroyed && 'secured' in handshake) pending.outcome = gone;
      pending.finish();
    });
  }
}

/** One handshake under way. */
interface Pending {
  outcome: Handshake | null;
  finish(): void;
}

const gone: Handshake = { failure: 'gone', why: 'the connection ended in the handshake' };

const unknownNameCode = 'UNKNOWN_SERVER_NAME';
const unknownName = () =>
  Object.assign(new Error('no such server name is configured'), { code: unknownNameCode });

/** OpenSSL's reasons, as Node spells them. */
const failures: Record<string, GreetingRefusal> = {
  [unknownNameCode]: 'server-name',
  ECONNRESET: 'gone',
  ERR_SSL_WRONG_VERSION_NUMBER: 'tls-invalid',
  ERR_SSL_HTTP_REQUEST: 'tls-invalid',
  ERR_SSL_HTTPS_PROXY_REQUEST: 'tls-invalid',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'tls-version',
  ERR_SSL_VERSION_TOO_LOW: 'tls-version',
  ERR_SSL_UNKNOWN_PROTOCOL: 'tls-version',
  ERR_SSL_NO_SHARED_CIPHER: 'tls-cipher',
  ERR_SSL_NO_APPLICATION_PROTOCOL: 'tls-protocol',
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: 'tls-client-certificate',
};

function failureOf(code: string | null): GreetingRefusal {
  const known = failures[code ?? ''];
  if (known) return known;
  // An alert is what the client has sent: it does not like what it got.
  return code?.includes('_ALERT_') ? 'tls-rejected' : 'tls-invalid';
}

function ignore(): void {}
