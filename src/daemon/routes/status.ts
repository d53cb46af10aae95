// What can be read: the status and its parts, health and metrics.
import type { FastifyInstance } from 'fastify';
import type { ApiParts } from '../api-parts.ts';
import { healthOf } from '../health.ts';

/** Milliseconds. */
const findWithin = 4_000;

export function statusRoutes(app: FastifyInstance, { status, metrics, find }: ApiParts): void {
  app.get('/api/v1/status', () => status());
  app.get('/api/v1/listeners', () => ({ listeners: status().listeners }));
  app.get('/api/v1/services', () => ({ services: status().services }));
  app.get('/api/v1/checks', () => ({ checks: status().checks }));
  app.get('/api/v1/maintenance', () => ({ maintenance: status().maintenance }));
  app.get('/api/v1/sinks', () => ({ sinks: status().sinks }));
  app.get('/api/v1/targets', () => ({
    targets: status().listeners.flatMap(({ name, targets }) =>
      targets.map((target) => ({ listener: name, ...target })),
    ),
  }));
  app.get('/api/v1/registry', () => status().registry);
  app.get('/api/v1/registry/services', () => find(null, AbortSignal.timeout(findWithin)));
  app.get('/api/v1/registry/services/:service', ({ params, query }) => {
    const { all, tag } = query as Record<string, string | string[] | undefined>;
    const tags = [tag ?? []].flat();
    const { service } = params as { service: string };
    return find({ service, tags, all: all !== undefined }, AbortSignal.timeout(findWithin));
  });
  app.get('/healthz', (_request, reply) => {
    const report = healthOf(status());
    return reply.code(report.ok ? 200 : 503).send(report);
  });
  app.get('/readyz', (_request, reply) => {
    const { state } = status();
    return reply.code(state === 'ready' ? 200 : 503).send({ ok: state === 'ready', state });
  });
  app.get('/metrics', async (_request, reply) => {
    const text = await metrics.render(status());
    return reply.type(metrics.contentType).send(text);
  });
}
