// The API's description: the OpenAPI document of all declared routes, and a page that shows it.
import { createHash } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import * as z from 'zod';
import { openApiDocument } from '../openapi.ts';
import { apiPage, pageStyle } from '../openapi-page.ts';
import type { DaemonStatus } from '../status.ts';
import { declare, type RouteSpec } from './declare.ts';

/** Its one style by its hash; nothing else is loaded, and no script runs. */
const policy = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(pageStyle).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** To be called before the other routes, whose declarations it collects. */
export function documentRoutes(app: FastifyInstance, status: () => DaemonStatus): void {
  const specs: RouteSpec[] = [];
  let made: ReturnType<typeof openApiDocument> | undefined;
  const document = () => {
    made ??= openApiDocument(specs, status().version);
    return made;
  };
  app.addHook('onRoute', ({ method, url, config }) => {
    if (!config?.spec) throw new Error(`${method} ${url} is not declared (routes/declare.ts)`);
    // HEAD comes with every GET.
    if (method === config.spec.method) specs.push(config.spec);
  });
  declare(
    app,
    {
      ...{ method: 'GET', url: '/openapi.json', response: z.record(z.string(), z.unknown()) },
      summary: 'This API as an OpenAPI 3.1 document.',
    },
    document,
  );
  declare(
    app,
    { method: 'GET', url: '/docs', summary: 'This API as a page.', media: ['text/html'] },
    (_input, _request, reply) =>
      reply
        .header('content-security-policy', policy)
        .type('text/html; charset=utf-8')
        .send(apiPage(document())),
  );
}
