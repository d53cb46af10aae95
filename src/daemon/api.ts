// The control API: an HTTP server on loopback, the guard at its door, and the routes.
import fastify, { type FastifyInstance } from 'fastify';
import { formatHostPort } from '../core/endpoint.ts';
import { sleep } from '../core/time.ts';
import type { ApiParts } from './api-parts.ts';
import { judge } from './guard.ts';
import { problem, problemOf, problemType } from './problem.ts';
import { commandRoutes } from './routes/commands.ts';
import { configRoutes } from './routes/config.ts';
import { documentRoutes } from './routes/document.ts';
import { eventRoutes } from './routes/events.ts';
import { historyRoutes } from './routes/history.ts';
import { leaseRoutes } from './routes/leases.ts';
import { liveRoutes } from './routes/live.ts';
import { portRoutes } from './routes/ports.ts';
import { probeRoutes } from './routes/probe.ts';
import { sessionRoutes } from './routes/session.ts';
import { statusRoutes } from './routes/status.ts';
import { webRoutes } from './routes/web.ts';

export interface Api {
  /** `host:port` that is listened on. */
  address: string;
  /** Of its listening socket, for another daemon; null where the system has none to give. */
  descriptor(): number | null;
  /** Another daemon listens on it from now on: whoever has connected here is answered, and connects there next. */
  cede(): void;
  close(): Promise<void>;
}

/** Far more than there are tools that ask; each may hold a request of 64 KiB. */
const maxConnections = 256;

/** Milliseconds, after another daemon has taken over, for requests that had come here. */
const answersWithin = 2000;

/** Listens at once. @throws the system's own error where the address cannot be bound. */
export async function openApi(parts: ApiParts): Promise<Api> {
  const app = fastify({
    bodyLimit: 64 * 1024,
    // Both for whoever sends slowly, or nothing.
    requestTimeout: 10_000,
    connectionTimeout: 0,
    keepAliveTimeout: 5_000,
    forceCloseConnections: true,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 200 },
  });
  // Only JSON: what a form can send without asking is not taken.
  app.removeContentTypeParser('text/plain');
  guard(app, parts);
  app.setNotFoundHandler((request, reply) => {
    const detail = `there is no ${request.method} ${request.url.split('?')[0]}`;
    return reply
      .code(404)
      .type(problemType)
      .send(problem(404, 'not-found', detail, 'See /docs for what there is'));
  });
  app.setErrorHandler((error, _request, reply) => {
    const told = problemOf(error);
    if (told.status >= 500) parts.log.error({ err: error }, 'request failed');
    return reply.code(told.status).type(problemType).send(told);
  });
  // First: it sees the routes that come after it.
  documentRoutes(app, parts.status);
  statusRoutes(app, parts);
  const streams = [eventRoutes(app, parts.events), liveRoutes(app, parts)];
  commandRoutes(app, parts);
  for (const routes of [sessionRoutes, portRoutes, leaseRoutes, configRoutes, historyRoutes, webRoutes])
    routes(app, parts);
  probeRoutes(app, parts);
  app.server.maxConnections = maxConnections;
  let gone: Promise<unknown> | null = null;
  app.addHook('onSend', async (_request, reply) => {
    if (gone) reply.header('connection', 'close');
  });
  // Node takes the descriptor before it looks at the address (net.Server.listen).
  const { host, fd } = parts;
  await app.listen({ host, port: parts.port, ...(fd === undefined ? {} : { fd }) } as { host: string });
  const bound = app.server.address();
  const port = typeof bound === 'object' && bound ? bound.port : parts.port;
  return {
    address: formatHostPort(parts.host, port),
    descriptor() {
      const { fd = -1 } = (app.server as unknown as { _handle: { fd: number } | null })._handle ?? {};
      return fd >= 0 ? fd : null;
    },
    cede() {
      gone = new Promise((resolve) => app.server.close(resolve));
      app.server.closeIdleConnections();
    },
    async close() {
      for (const stream of streams) stream.end();
      // What is under way gets its answer: this is no end, somebody else is there.
      if (gone) await Promise.race([gone, sleep(answersWithin)]);
      await app.close();
    },
  };
}

function guard(app: FastifyInstance, { host, token }: ApiParts): void {
  app.addHook('onRequest', async (request, reply) => {
    // Nothing of what is told here belongs into a cache, a frame or another site's script.
    reply.headers({
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    });
    const { socket, headers } = request.raw;
    const refused = judge(
      {
        method: request.method,
        url: request.url,
        headers,
        port: socket.localPort ?? 0,
        remote: socket.remoteAddress ?? '',
      },
      host,
      token,
    );
    if (!refused) return;
    if (refused.status === 405) reply.header('allow', 'GET, HEAD, POST');
    if (refused.status === 401) reply.header('www-authenticate', 'Bearer');
    return reply.code(refused.status).type(problemType).send(refused);
  });
}
