// The URLs that a probe accepts (`tcp://…`, `grpcs://…/service`, `unix:…`, `exec:…`): read, and refused with words.
import { isLoopback } from './address.ts';
import { parseEndpoint } from './endpoint.ts';
import { ReeveError } from './errors.ts';
import { printable } from './text.ts';

const probeSchemes = ['tcp', 'udp', 'http', 'https', 'grpc', 'grpcs', 'tls', 'unix', 'exec'] as const;

export type ProbeScheme = (typeof probeSchemes)[number];

export interface ProbeUrl {
  scheme: ProbeScheme;
  /** Empty for `unix:` and `exec:`. */
  host: string;
  /** 0 for `unix:` and `exec:`. */
  port: number;
  /** The path of the socket, the command line, the gRPC service; empty for the others. */
  rest: string;
}

const acceptedUrls =
  'accepted are tcp://host:port, udp://host:port, http://…, https://…, grpc://host:port/service, grpcs://…, tls://host:port, unix:/path and exec:command';

/** @throws ReeveError `usage` for what cannot be probed. */
export function parseProbeUrl(url: string): ProbeUrl {
  const shown = printable(url).slice(0, 200);
  const [, name = '', after = ''] = /^([a-z][a-z0-9+.-]*):(.*)$/is.exec(url) ?? [];
  const scheme = probeSchemes.find((one) => one === name.toLowerCase());
  const isPlain = scheme === 'unix' || scheme === 'exec';
  if (!scheme || (!isPlain && !after.startsWith('//'))) {
    const hint = /^[\w.-]*:?\d+$|^\[.+\]:\d+$/.test(url) ? { hint: `Write tcp://${shown}` } : {};
    throw new ReeveError('usage', `'${shown}' is not a URL to check: ${acceptedUrls}`, hint);
  }
  const empty = { scheme, host: '', port: 0, rest: '' };
  switch (scheme) {
    case 'unix': {
      const path = after.replace(/^\/\/(?=\/)/, '');
      if (path !== '' && !path.includes('\0')) return { ...empty, rest: path };
      throw new ReeveError('usage', `'${shown}' names no socket: write unix:/run/app.sock`);
    }
    case 'exec':
      commandWords(after);
      return { ...empty, rest: after.trim() };
    case 'http':
    case 'https': {
      if (!URL.canParse(url)) throw new ReeveError('usage', `'${shown}' is not a URL: ${acceptedUrls}`);
      const { hostname, port } = new URL(url);
      const host = hostname.replace(/^\[|\]$/g, '');
      return { ...empty, host, port: Number(port) || (scheme === 'https' ? 443 : 80) };
    }
    default: {
      const [, authority = '', path = ''] = /^\/\/([^/]*)\/?(.*)$/s.exec(after) ?? [];
      const takesPath = scheme === 'grpc' || scheme === 'grpcs';
      if (path !== '' && !takesPath)
        throw new ReeveError('usage', `'${shown}' has a path: write ${scheme}://host:port`);
      const full = scheme === 'tls' && !/:\d+$/.test(authority) ? `${authority}:443` : authority;
      const { host, port } = parseEndpoint(`tcp://${full}`);
      return { ...empty, host, port, rest: path };
    }
  }
}

/** Whether it stays on this machine, as far as the text shows. */
export function isLocalProbe(url: string): boolean {
  const { scheme, host } = parseProbeUrl(url);
  return scheme === 'unix' || scheme === 'exec' || host === 'localhost' || isLoopback(host);
}

/** The words of a command: split at spaces, except within '…' and "…". No shell reads them. */
export function commandWords(text: string): string[] {
  const words: string[] = [];
  let word: string | null = null;
  let quote = '';
  for (const char of text) {
    if (quote !== '') {
      if (char === quote) quote = '';
      else word += char;
    } else if (char === '"' || char === "'") {
      quote = char;
      word ??= '';
    } else if (/\s/.test(char)) {
      if (word !== null) words.push(word);
      word = null;
    } else word = (word ?? '') + char;
  }
  if (word !== null) words.push(word);
  if (quote === '' && words[0] && !text.includes('\0')) return words;
  const why = quote === '' ? 'it names no program' : `its ${quote} is never closed`;
  throw new ReeveError('usage', `'exec:${printable(text).slice(0, 200)}' is not a command: ${why}`);
}

/** `200-299,401`: statuses of HTTP, as a set. */
export function parseStatuses(text: string): ReadonlySet<number> {
  const statuses = new Set<number>();
  for (const part of text.split(',')) {
    const [, first, last = first] = /^\s*([1-5]\d\d)(?:\s*-\s*([1-5]\d\d))?\s*$/.exec(part) ?? [];
    if (first === undefined || Number(last) < Number(first)) {
      throw new ReeveError('usage', `'${printable(text)}' are no statuses: write such as 200-299,401`);
    }
    for (let status = Number(first); status <= Number(last); status++) statuses.add(status);
  }
  return statuses;
}
