// Who may use the control API: programs on this machine, never a web page that a browser here has open.
import type { IncomingHttpHeaders } from 'node:http';
import { isLoopback } from '../core/address.ts';
import { formatHostPort } from '../core/endpoint.ts';
import { type Problem, problem } from './problem.ts';
import { cookieIn, cookieName, isSession, proofHeader } from './session.ts';
import { sameToken } from './token.ts';

export interface GuardedRequest {
  method: string;
  /** Path and query. */
  url: string;
  headers: IncomingHttpHeaders;
  /** The port that the request came in on. */
  port: number;
  /** The address of the other end. */
  remote: string;
}

const methods = ['GET', 'HEAD', 'POST'];

/** Takes the token in its body, and opens a session with it. */
export const signInPath = '/api/v1/session';

/**
 * Null where the request may pass. A page elsewhere can make a browser send requests here: a name that it
 * points at 127.0.0.1 (DNS rebinding) shows in Host, a form or fetch in Origin and Sec-Fetch-Site, and no page
 * can read the token. Reading needs no token, so all of that is asked of GET too.
 */
export function judge(request: GuardedRequest, host: string, token: string): Problem | null {
  const { method, headers, port, remote } = request;
  if (!isLoopback(remote)) return problem(403, 'privilege', 'only this machine may use the control API');
  const hosts = [...new Set(['127.0.0.1', '::1', 'localhost', host])].flatMap((name) => namesOf(name, port));
  if (headers.host === undefined || !hosts.includes(headers.host.toLowerCase())) {
    return problem(
      403,
      'privilege',
      `the Host header is not this API's own: accepted are ${hosts.join(', ')}`,
    );
  }
  if (headers.origin !== undefined && !hosts.some((own) => headers.origin === `http://${own}`)) {
    return problem(403, 'privilege', 'requests of web pages from elsewhere are refused (Origin)');
  }
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') {
    return problem(403, 'privilege', 'requests of web pages from elsewhere are refused (Sec-Fetch-Site)');
  }
  if (!methods.includes(method)) {
    return problem(405, 'usage', `the method is not one of ${methods.join(', ')}`);
  }
  if (method === 'POST' && request.url !== signInPath && !mayChange(request, token)) {
    return problem(
      401,
      'unauthorized',
      'POST needs the header Authorization: Bearer with the token, or a session of the dashboard',
      'The token is in the file control.tokenFile, by default token in the state directory',
    );
  }
  return null;
}

/** By the token itself, or by both halves of a session. */
export function mayChange(
  { headers, port }: Pick<GuardedRequest, 'headers' | 'port'>,
  token: string,
): boolean {
  if (sameToken(`Bearer ${token}`, headers.authorization ?? '')) return true;
  const proof = headers[proofHeader];
  return isSession(
    token,
    cookieIn(headers.cookie, cookieName(port)),
    typeof proof === 'string' ? proof : undefined,
  );
}

function namesOf(host: string, port: number): string[] {
  const full = formatHostPort(host, port);
  // Clients leave out the scheme's own port.
  return port === 80 ? [full, full.replace(/:80$/, '')] : [full];
}
