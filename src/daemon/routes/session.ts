// Signing in to the dashboard with the token, and out again.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import * as z from 'zod';
import { ReeveError } from '../../core/errors.ts';
import type { ApiParts } from '../api-parts.ts';
import { mayChange, signInPath } from '../guard.ts';
import { cookieName, openSession, setCookie } from '../session.ts';
import { sameToken } from '../token.ts';
import { declare } from './declare.ts';

const body = z.strictObject({ token: z.string().min(1).max(1000) });
const signedIn = z.object({
  proof: z.string().describe('goes into the header X-Reeve-Proof of every POST, beside the cookie'),
  expiresAt: z.iso.datetime(),
});

export function sessionRoutes(app: FastifyInstance, { token, tokenFile }: ApiParts): void {
  const portOf = (request: FastifyRequest) => request.raw.socket.localPort ?? 0;
  declare(
    app,
    {
      ...{ method: 'POST', url: signInPath, body, response: signedIn, open: true },
      summary: 'Signs in: a cookie and a proof that stand for the token.',
      hint: 'Send {"token": "…"}',
    },
    ({ body }, request, reply) => {
      if (!sameToken(token, body.token.trim())) {
        throw new ReeveError('unauthorized', 'that is not the token', {
          hint: `It is in the file ${tokenFile}`,
        });
      }
      const session = openSession(token);
      reply.header('set-cookie', setCookie(cookieName(portOf(request)), session));
      return { proof: session.proof, expiresAt: new Date(session.expiresAt).toISOString() };
    },
  );
  declare(
    app,
    {
      ...{ method: 'POST', url: `${signInPath}/end`, response: z.object({ ended: z.literal(true) }) },
      summary: 'Signs out.',
    },
    (_input, request, reply) => {
      reply.header('set-cookie', setCookie(cookieName(portOf(request)), null));
      return { ended: true };
    },
  );
  declare(
    app,
    {
      ...{ method: 'GET', url: signInPath },
      response: z.object({ signedIn: z.boolean(), tokenFile: z.string().describe('where the token is') }),
      summary: 'Whether this client may change things.',
    },
    (_input, request) => ({
      signedIn: mayChange({ headers: request.headers, port: portOf(request) }, token),
      tokenFile,
    }),
  );
}
