// http://… and https://…: one request whose status, and body where one is expected, decide.
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { urlToHttpOptions } from 'node:url';
import { formatHostPort } from '../core/endpoint.ts';
import { type ProbeUrl, parseProbeUrl } from '../core/probe-url.ts';
import { printable } from '../core/text.ts';
import { connect } from './connect.ts';
import { excerpt, longestAnswer, matcherOf } from './expectation.ts';
import { handshake, judgeExpiry, type Peer, tlsFacts } from './handshake.ts';
import { type Attempt, type Facts, fail, failureAt, type Outcome, ProbeFailure } from './outcome.ts';
import { settled } from './settled.ts';

const tooManyRequests = 429;

interface Answer {
  status: number;
  words: string;
  body: Buffer;
  location: string | null;
  facts: Facts;
}

export async function probeHttp(_: ProbeUrl, attempt: Attempt, signal: AbortSignal, text: string) {
  let url = new URL(text);
  let facts: Facts = {};
  for (let redirects = 0; ; redirects++) {
    const answer = await ask(url, attempt, signal);
    // The first certificate and the last status.
    facts = { ...answer.facts, ...(facts.tls && { tls: facts.tls }), redirects };
    const { location } = answer;
    if (location === null || redirects >= (attempt.redirects ?? 0)) {
      return judgeExpiry(judge(answer, attempt, facts), attempt.minDays ?? 0, Date.now());
    }
    url = nextUrl(location, url, facts);
  }
}

/** Only to HTTP: a server must not lead the probe to a file or a command. */
function nextUrl(location: string, from: URL, facts: Facts): URL {
  const shown = printable(location).slice(0, 200);
  if (!URL.canParse(location, from.href)) throw fail('protocol', `redirected to '${shown}', no URL`, facts);
  const to = new URL(location, from);
  if (to.protocol === 'http:' || to.protocol === 'https:') return to;
  throw fail('protocol', `redirected to '${shown}', which is not HTTP`, facts);
}

async function ask(url: URL, attempt: Attempt, signal: AbortSignal): Promise<Answer> {
  const { host, port, scheme } = parseProbeUrl(url.href);
  const secure = scheme === 'https';
  const socket = await connect(host, port, attempt, signal);
  const peer = { address: socket.remoteAddress ?? host, port };
  const options = { host, alpn: ['http/1.1'] };
  const stream = secure ? await handshake(socket, options, peer, attempt, signal) : socket;
  attempt.phase = 'waiting for the response';
  const answer = await exchange(url, stream, peer, attempt, signal);
  return answer;
}

function judge({ status, words, body }: Answer, attempt: Attempt, facts: Facts): Outcome {
  const from = `${words} from ${facts.address}`;
  const listed = attempt.status?.has(status);
  if (status === tooManyRequests && !listed) {
    return { verdict: 'up', reason: 'busy', degraded: true, detail: from, facts };
  }
  if (!(listed ?? (status >= 200 && status < 400))) throw fail('status', from, facts);
  if (attempt.expect === undefined) return { verdict: 'up', reason: null, detail: from, facts };
  if (matcherOf(attempt.expect)(body)) {
    return { verdict: 'up', reason: null, detail: from, facts: { ...facts, matched: true } };
  }
  const detail = `${from}, but its body is not the expected one: ${excerpt(body)}`;
  throw fail('mismatch', detail, { ...facts, matched: false });
}

function exchange(
  url: URL,
  stream: Socket,
  peer: Peer,
  attempt: Attempt,
  signal: AbortSignal,
): Promise<Answer> {
  const at = formatHostPort(peer.address, peer.port);
  const secure = url.protocol === 'https:';
  const usual = { host: url.host, accept: '*/*', 'user-agent': 'portreeve', connection: 'close' };
  return settled<Answer>(signal, ({ resolve, reject }) => {
    const request = (secure ? requestHttps : requestHttp)({
      ...urlToHttpOptions(url),
      method: attempt.method ?? 'GET',
      createConnection: () => stream,
      headers: { ...usual, ...lowerCased(attempt.headers) },
    });
    const lose = (error: unknown) => reject(new ProbeFailure(failureAt(error, peer.address, peer.port)));
    const hungUp = (when: string) => reject(fail('reset', `connection closed ${when} (${at})`));
    request.on('error', lose);
    request.on('close', () => hungUp('before a response'));
    request.on('response', (response) => {
      attempt.phase = 'reading the response';
      request.removeAllListeners('close');
      const status = response.statusCode ?? 0;
      const length = Number(response.headers['content-length']);
      const isRedirect = status >= 300 && status < 400;
      const chunks: Buffer[] = [];
      let received = 0;
      const finish = () =>
        resolve({
          status,
          words: printable(`${status} ${response.statusMessage ?? ''}`).slice(0, 100),
          body: Buffer.concat(chunks).subarray(0, longestAnswer),
          location: isRedirect ? (response.headers.location ?? null) : null,
          facts: {
            address: at,
            status,
            httpVersion: response.httpVersion,
            contentLength: Number.isFinite(length) ? length : received,
            ...(secure && tlsFacts(stream as TLSSocket)),
          },
        });
      response.on('data', (chunk: Buffer) => {
        received += chunk.length;
        chunks.push(chunk);
        // A health page is short; whatever comes after this says nothing more.
        if (received > longestAnswer) finish();
      });
      response.on('end', finish);
      response.on('error', lose);
      response.on('close', () => hungUp('in the middle of the response'));
    });
    request.end();
    return () => {
      request.destroy();
      stream.destroy();
    };
  });
}

/** Names of headers are one whatever their case: a configured one replaces ours. */
function lowerCased(headers: Attempt['headers'] = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
