// http://… and https://…: one GET whose status decides. Redirects are an answer, not followed.
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { urlToHttpOptions } from 'node:url';
import { formatHostPort } from '../core/endpoint.ts';
import { errorCode, errorMessage } from '../core/errors.ts';
import { printable } from '../core/text.ts';
import { abortError } from '../core/time.ts';
import { connect } from './connect.ts';
import { type Attempt, failureAt, type Outcome, ProbeFailure } from './outcome.ts';

/** A health page is short; whatever comes after this says nothing more. */
const maxBody = 64 * 1024;

interface Peer {
  address: string;
  port: number;
}

export async function probeHttp(text: string, attempt: Attempt, signal: AbortSignal): Promise<Outcome> {
  const url = new URL(text);
  const secure = url.protocol === 'https:';
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = Number(url.port) || (secure ? 443 : 80);
  const socket = await connect(host, port, attempt, signal);
  const peer = { address: socket.remoteAddress ?? host, port };
  const stream = secure ? await handshake(socket, host, peer, attempt, signal) : socket;
  attempt.phase = 'waiting for the response';
  return exchange(url, stream, peer, attempt, signal);
}

function handshake(socket: Socket, host: string, peer: Peer, attempt: Attempt, signal: AbortSignal) {
  attempt.phase = 'in the TLS handshake';
  return new Promise<TLSSocket>((resolve, reject) => {
    const stream = connectTls({
      socket,
      host,
      // RFC 6066 §3: a server name is never an address.
      ...(isIP(host) === 0 ? { servername: host } : {}),
      rejectUnauthorized: attempt.insecure !== true,
      ALPNProtocols: ['http/1.1'],
    });
    const cancel = () => fail(abortError(signal));
    const fail = (error: Error) => {
      signal.removeEventListener('abort', cancel);
      stream.destroy();
      reject(error);
    };
    if (signal.aborted) return cancel();
    signal.addEventListener('abort', cancel, { once: true });
    stream.on('error', (error) => fail(new ProbeFailure(tlsFailure(error, peer))));
    stream.once('secureConnect', () => {
      signal.removeEventListener('abort', cancel);
      resolve(stream);
    });
  });
}

function tlsFailure(error: Error, { address, port }: Peer): Outcome {
  const code = errorCode(error);
  if (code === 'ECONNRESET') return failureAt(error, address, port);
  // OpenSSL's message is a line of its own source; its reason is the part for people.
  const words = printable((error as { reason?: string }).reason ?? errorMessage(error)).slice(0, 200);
  const detail = `${words} (${code ?? 'TLS'}, ${formatHostPort(address, port)})`;
  return { verdict: 'down', reason: 'tls', detail };
}

function exchange(
  url: URL,
  stream: Socket,
  peer: Peer,
  attempt: Attempt,
  signal: AbortSignal,
): Promise<Outcome> {
  const at = formatHostPort(peer.address, peer.port);
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? requestHttps : requestHttp)({
      ...urlToHttpOptions(url),
      method: 'GET',
      createConnection: () => stream,
      headers: { host: url.host, accept: '*/*', 'user-agent': 'portreeve', connection: 'close' },
    });
    const settle = (finish: () => void) => {
      signal.removeEventListener('abort', cancel);
      request.destroy();
      stream.destroy();
      finish();
    };
    const cancel = () => settle(() => reject(abortError(signal)));
    const fail = (error: unknown) =>
      settle(() => reject(new ProbeFailure(failureAt(error, peer.address, peer.port))));
    const hungUp = (when: string) =>
      settle(() =>
        reject(
          new ProbeFailure({ verdict: 'down', reason: 'reset', detail: `connection closed ${when} (${at})` }),
        ),
      );
    if (signal.aborted) return cancel();
    signal.addEventListener('abort', cancel, { once: true });

    request.on('error', fail);
    request.on('close', () => hungUp('before a response'));
    request.on('response', (response) => {
      attempt.phase = 'reading the response';
      request.removeAllListeners('close');
      const status = response.statusCode ?? 0;
      const healthy = attempt.status ? attempt.status.has(status) : status >= 200 && status < 400;
      const words = printable(`${status} ${response.statusMessage ?? ''}`).slice(0, 100);
      const outcome: Outcome = healthy
        ? { verdict: 'up', reason: null, detail: `${words} from ${at}` }
        : { verdict: 'down', reason: 'status', detail: `${words} from ${at}` };
      let received = 0;
      response.on('data', (chunk: Buffer) => {
        received += chunk.length;
        if (received > maxBody) settle(() => resolve(outcome));
      });
      response.on('end', () => settle(() => resolve(outcome)));
      response.on('error', fail);
      response.on('close', () => hungUp('in the middle of the response'));
    });
    request.end();
  });
}
