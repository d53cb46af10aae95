// Asks a Consul agent over HTTP. By node:http alone: it knows AbortSignal, deadlines and client certificates.
import { readFile, stat } from 'node:fs/promises';
import type { Agent, IncomingMessage, request } from 'node:http';
import { errorMessage, ReeveError } from '../../core/errors.ts';
import { printable } from '../../core/text.ts';
import { abortError } from '../../core/time.ts';
import { type RequestNow, sendNow } from './now.ts';

export interface ConsulSettings {
  /** `http://127.0.0.1:8500`. */
  address: string;
  token?: string | undefined;
  /** Read anew when it changes. */
  tokenFile?: string | undefined;
  /** Files, for https. */
  ca?: string | undefined;
  cert?: string | undefined;
  key?: string | undefined;
  datacenter?: string | undefined;
}

export interface Asked {
  method?: 'GET' | 'PUT' | 'DELETE';
  /** What is undefined is left out. */
  query?: Record<string, string | number | readonly string[] | undefined>;
  /** A string goes as it is. */
  body?: unknown;
  /** Default 5000. */
  timeoutMs?: number;
  /** Statuses that are an answer, and no error. 404 always is. */
  accept?: readonly number[];
}

export interface ConsulAnswer {
  status: number;
  /** What a blocking query goes on from; 0 where the answer has none. */
  index: number;
  /** Null for 404 and for an empty body. */
  body: unknown;
}

export interface Consul {
  readonly address: string;
  /**
   * @throws ReeveError `unreachable` (nobody answers, or no leader), `unauthorized`, `timeout`, `aborted`, or `fault`
   * where Consul says no to the request itself.
   */
  ask(path: string, asked: Asked, signal?: AbortSignal): Promise<ConsulAnswer>;
  /** Done when it returns; with the token and the certificates of the last request. */
  askNow(requests: RequestNow[]): void;
  close(): void;
}

/** 12,000 ports of a pool are about 5 MB; a peer that sends for ever is cut off. */
const longestAnswer = 32 * 1024 * 1024;

export function connectConsul(settings: ConsulSettings): Consul {
  const base = new URL(settings.address);
  const isTls = base.protocol === 'https:';
  const token = tokenOf(settings);
  let line: Promise<Line> | null = null;
  let lastTls: Tls = {};
  let lastHeaders: Record<string, string> = {};
  const connect = () => {
    line ??= openLine(settings, isTls, (tls) => {
      lastTls = tls;
    });
    // Certificates that could not be read may be there the next time.
    line.catch(() => {
      line = null;
    });
    return line;
  };

  const headers = async () => {
    const value = await token();
    lastHeaders = value === null ? {} : { 'x-consul-token': value };
    return lastHeaders;
  };
  async function ask(path: string, asked: Asked, signal?: AbortSignal): Promise<ConsulAnswer> {
    const { method = 'GET', body, timeoutMs = 5000, accept = [] } = asked;
    const url = new URL(path, base);
    const query = { dc: settings.datacenter, ...asked.query };
    for (const [name, value] of Object.entries(query))
      for (const each of [value ?? []].flat()) url.searchParams.append(name, String(each));
    const deadline = AbortSignal.timeout(timeoutMs);
    const either = signal ? AbortSignal.any([signal, deadline]) : deadline;
    const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
    let answer: { message: IncomingMessage; text: string };
    try {
      const { agent, send } = await connect();
      const options = { method, agent, headers: await headers(), signal: either };
      answer = await new Promise((resolve, reject) => {
        const sent = send(url, options, (message) => {
          readText(message).then((read) => resolve({ message, text: read }), reject);
        });
        sent.once('error', reject);
        sent.end(text);
      });
    } catch (error) {
      if (signal?.aborted) throw abortError(signal);
      if (deadline.aborted)
        throw new ReeveError('timeout', `Consul (${base.host}) did not answer within ${timeoutMs} ms`);
      if (error instanceof ReeveError) throw error;
      // OpenSSL's message is a line of its own source; its reason is the part for people.
      const why = (error as { reason?: string }).reason ?? errorMessage(error);
      throw new ReeveError('unreachable', `Consul does not answer on ${base.host}: ${why}`, {
        hint: 'Is the agent running? consul members',
        cause: error,
      });
    }
    const status = answer.message.statusCode ?? 0;
    if (status !== 404 && (status < 200 || status > 299) && !accept.includes(status))
      throw refusal(status, answer.text, base.host);
    const index = Number(answer.message.headers['x-consul-index'] ?? 0);
    return {
      status,
      index: Number.isSafeInteger(index) && index >= 0 ? index : 0,
      // Only what went well is JSON for certain.
      body: status === 404 ? null : parse(answer.text, status < 300 ? base.host : null),
    };
  }
  return {
    address: base.origin,
    ask,
    askNow(requests) {
      const dc = settings.datacenter === undefined ? '' : `?dc=${encodeURIComponent(settings.datacenter)}`;
      const all = requests.map((each) => ({ ...each, path: `${each.path}${dc}` }));
      sendNow({ address: base.origin, headers: lastHeaders, tls: lastTls }, all);
    },
    close: () => void line?.then(({ agent }) => agent.destroy()).catch(() => {}),
  };
}

interface Line {
  agent: Agent;
  send: typeof request;
}

type Tls = { ca?: string; cert?: string; key?: string };

/** Loaded with the first request: most commands send none. */
async function openLine(
  { ca, cert, key }: ConsulSettings,
  isTls: boolean,
  use: (tls: Tls) => void,
): Promise<Line> {
  // No answer is waited for as long as that: a socket that is silent for longer is dead.
  const options = { keepAlive: true, maxSockets: 64, timeout: 700_000 };
  if (!isTls) {
    const http = await import('node:http');
    return { agent: new http.Agent(options), send: http.request };
  }
  const named = Object.entries({ ca, cert, key }).filter(([, file]) => file !== undefined);
  const read = await Promise.all(named.map(async ([name, file]) => [name, await readSecret(file!)]));
  const tls: Tls = Object.fromEntries(read);
  use(tls);
  const https = await import('node:https');
  return { agent: new https.Agent({ ...options, ...tls }), send: https.request };
}

function tokenOf({ token, tokenFile }: ConsulSettings): () => Promise<string | null> {
  if (tokenFile === undefined) return async () => token ?? null;
  let known: { at: number; text: string } | null = null;
  return async () => {
    const at = (await stat(tokenFile).catch(() => null))?.mtimeMs ?? null;
    if (at === null || at !== known?.at) {
      const text = (await readSecret(tokenFile)).trim();
      // In a header, a line break would begin another one.
      if (!/^[\x21-\x7e]{1,256}$/.test(text))
        throw new ReeveError('config', `${tokenFile} holds no token: one line of printable characters is`);
      known = { at: at ?? 0, text };
    }
    return known.text;
  };
}

async function readSecret(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new ReeveError('config', `${file} cannot be read: ${errorMessage(error)}`, { cause: error });
  }
}

async function readText(message: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of message) {
    size += (part as Buffer).length;
    if (size > longestAnswer) throw new ReeveError('fault', `Consul sent more than ${longestAnswer} bytes`);
    parts.push(part as Buffer);
  }
  return Buffer.concat(parts).toString('utf8');
}

function parse(text: string, host: string | null): unknown {
  if (text === '') return null;
  try {
    return JSON.parse(text);
  } catch (error) {
    if (host === null) return text;
    throw new ReeveError('unreachable', `what answers on ${host} is not Consul: it sends no JSON`, {
      cause: error,
    });
  }
}

function refusal(status: number, text: string, host: string): ReeveError {
  const said = printable(text.slice(0, 300)) || `status ${status}`;
  if (status === 401 || status === 403)
    return new ReeveError('unauthorized', `Consul (${host}) refuses: ${said}`, {
      hint: 'Check the token and its policy: it needs service:write and, for leases, key:write and session:write',
    });
  // No leader, a restart, a rate limit: another time it may do so.
  if (status >= 500 || status === 429)
    return new ReeveError('unreachable', `Consul (${host}) cannot now: ${said}`);
  return new ReeveError('fault', `Consul (${host}) says ${status}: ${said}`);
}
