// Sessions of the dashboard: the token is typed once, then a cookie and a header that belong together stand for it.
import { createHmac } from 'node:crypto';
import { sameToken } from './token.ts';

/**
 * The cookie is HttpOnly, so no script can read it; but browsers send it to every port of this host, so another
 * server here may see it. The proof is kept by the dashboard's own origin, port included, and is sent as a header,
 * which no page elsewhere can set. Either alone is worth nothing.
 */
export interface Session {
  cookie: string;
  proof: string;
  /** Wall time in milliseconds. */
  expiresAt: number;
}

/** A working day. Nothing is kept here: a new token ends all sessions. */
const lifetime = 12 * 3600_000;

export const proofHeader = 'x-reeve-proof';

export function cookieName(port: number): string {
  return `reeve_${port}`;
}

export function openSession(token: string, now = Date.now()): Session {
  const expiresAt = now + lifetime;
  const value = `${expiresAt}.${sign(token, `session ${expiresAt}`)}`;
  return { cookie: value, proof: sign(token, `proof ${value}`), expiresAt };
}

/** Whether both halves are of one session that this token opened and that has not run out. */
export function isSession(
  token: string,
  cookie: string | undefined,
  proof: string | undefined,
  now = Date.now(),
): boolean {
  const expiresAt = Number(cookie?.split('.')[0]);
  if (!cookie || !proof || !Number.isSafeInteger(expiresAt) || expiresAt <= now) return false;
  return (
    sameToken(`${expiresAt}.${sign(token, `session ${expiresAt}`)}`, cookie) &&
    sameToken(sign(token, `proof ${cookie}`), proof)
  );
}

/** The value of one cookie in a Cookie header. */
export function cookieIn(header: string | undefined, name: string): string | undefined {
  for (const pair of (header ?? '').split(';')) {
    const at = pair.indexOf('=');
    if (at > 0 && pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim();
  }
  return undefined;
}

/** No Secure: the API is plain HTTP on loopback. */
export function setCookie(name: string, session: Session | null): string {
  const age = session ? Math.round((session.expiresAt - Date.now()) / 1000) : 0;
  return `${name}=${session?.cookie ?? ''}; Path=/api; HttpOnly; SameSite=Strict; Max-Age=${age}`;
}

function sign(token: string, text: string): string {
  return createHmac('sha256', token).update(text).digest('base64url');
}
