// The dashboard: its page and files, compressed beforehand; and a page without script for whoever has none.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ApiParts } from '../api-parts.ts';
import { statusPage } from '../page.ts';
import { type Coding, readWebFiles, type WebFile } from '../web-files.ts';
import { declare } from './declare.ts';

/** Everything comes from here, and nothing is written into the page: no script or style in it counts. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

export function webRoutes(app: FastifyInstance, { status }: Pick<ApiParts, 'status'>): void {
  let reading: Promise<Map<string, WebFile>> | undefined;
  const plain = (reply: FastifyReply) => reply.type('text/html; charset=utf-8').send(statusPage(status()));
  const serve = async (request: FastifyRequest, reply: FastifyReply) => {
    reading ??= readWebFiles();
    const path = request.url.split('?')[0]!;
    const file = (await reading).get(path);
    if (file) return send(file, request, reply);
    return path === '/' ? plain(reply) : reply.callNotFound();
  };
  const files = (url: string, summary: string, media: string[]) =>
    declare(app, { method: 'GET', url, summary, media }, (_input, request, reply) => serve(request, reply));
  files('/', 'The dashboard.', ['text/html']);
  files('/icon.svg', 'Its icon.', ['image/svg+xml']);
  files('/assets/*', 'Its files; their names hold a hash of their content.', ['*/*']);
  declare(
    app,
    { method: 'GET', url: '/plain', summary: 'The status as a page without script.', media: ['text/html'] },
    (_input, _request, reply) => plain(reply),
  );
}

function send(file: WebFile, request: FastifyRequest, reply: FastifyReply) {
  const coding = chooseCoding(file, String(request.headers['accept-encoding'] ?? ''));
  // Each coding is a representation of its own (RFC 9110, 8.8.3).
  const etag = `"${file.etag}-${coding}"`;
  reply.headers({
    'content-type': file.type,
    'content-security-policy': policy,
    'cache-control': file.immutable ? 'public, max-age=31536000, immutable' : 'no-cache',
    vary: 'accept-encoding',
    etag,
  });
  if (request.headers['if-none-match'] === etag) return reply.code(304).send();
  if (coding !== 'identity') reply.header('content-encoding', coding);
  return reply.send(file.bodies.get(coding));
}

/** The smallest that the client takes. */
function chooseCoding({ bodies }: WebFile, accepted: string): Coding {
  const names = accepted.split(',').map((each) => {
    const [name = '', ...parameters] = each.split(';').map((part) => part.trim().toLowerCase());
    return parameters.some((parameter) => /^q=0(\.0+)?$/.test(parameter)) ? '' : name;
  });
  return (
    (['br', 'gzip'] as const).find((coding) => bodies.has(coding) && names.includes(coding)) ?? 'identity'
  );
}
