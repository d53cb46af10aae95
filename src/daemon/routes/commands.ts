// What can be done: reload, drain a target, restart and scale a service, stop. Each needs the token (see guard.ts).
import type { FastifyInstance } from 'fastify';
import * as z from 'zod';
import { ReeveError } from '../../core/errors.ts';
import type { ApiParts } from '../api-parts.ts';
import type { DrainRequest, MaintainRequest, RestartRequest, WeightRequest } from '../orders.ts';

/** 30 days: what lasts longer belongs into the configuration. */
const longestMaintenance = 30 * 86_400_000;

const drainSchema = z.strictObject({
  target: z.string().min(1).max(300),
  listener: z.string().min(1).max(63).optional(),
  resume: z.boolean().optional(),
  deadlineMs: z.int().min(0).max(86_400_000).optional(),
});

const weightSchema = z.strictObject({
  target: z.string().min(1).max(300),
  listener: z.string().min(1).max(63).optional(),
  weight: z.int().min(0).max(256).nullable(),
});

const maintainSchema = z.strictObject({
  name: z.string().min(1).max(400),
  forMs: z.int().min(1).max(longestMaintenance).optional(),
  end: z.boolean().optional(),
});

const serviceName = z.string().min(1).max(63);

const restartSchema = z.strictObject({
  service: serviceName,
  instance: z.int().min(0).max(255).optional(),
});

const scaleSchema = z.strictObject({ service: serviceName, instances: z.int().min(0).max(256) });

export function commandRoutes(app: FastifyInstance, parts: ApiParts): void {
  const { reload, drain, weigh, maintain, restart, scale, stop } = parts;
  app.post('/api/v1/reload', () => reload());
  app.post('/api/v1/drain', ({ body }) =>
    drain(
      parse(
        drainSchema,
        body,
        'Send {"target": "host:port"}, with "listener" for one alone, "deadlineMs" and "resume": true to take it back',
      ) as DrainRequest,
    ),
  );
  app.post('/api/v1/maintain', ({ body }) =>
    maintain(
      parse(
        maintainSchema,
        body,
        'Send {"name": "user-api"}, with "forMs": 1800000, or "end": true when it is over',
      ) as MaintainRequest,
    ),
  );
  app.post('/api/v1/weight', ({ body }) =>
    weigh(
      parse(
        weightSchema,
        body,
        'Send {"target": "host:port", "weight": 50}, from 0 to 256, or null for what the configuration says',
      ) as WeightRequest,
    ),
  );
  app.post('/api/v1/restart', ({ body }) =>
    restart(
      parse(
        restartSchema,
        body,
        'Send {"service": "name"}, with "instance": 0 for one alone',
      ) as RestartRequest,
    ),
  );
  app.post('/api/v1/scale', ({ body }) =>
    scale(parse(scaleSchema, body, 'Send {"service": "name", "instances": 4}, from 0 to 256')),
  );
  app.post('/api/v1/stop', (_request, reply) => {
    // Only once the answer is out: draining closes this connection too.
    reply.raw.once('finish', stop);
    return reply.code(202).send({ state: 'draining' });
  });
}

function parse<T>(schema: z.ZodType<T>, body: unknown, hint: string): T {
  const { success, data, error } = schema.safeParse(body);
  if (success) return data;
  throw new ReeveError('usage', `not such a request: ${z.prettifyError(error).replaceAll('\n', ' ')}`, {
    hint,
  });
}
