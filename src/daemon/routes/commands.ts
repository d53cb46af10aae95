// What can be done: reload, drain a target, stop. Each needs the token (see guard.ts).
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { ReeveError } from '../../core/errors.ts';
import type { ApiParts } from '../api-parts.ts';
import type { DrainRequest } from '../orders.ts';

const drainSchema = z.strictObject({
  target: z.string().min(1).max(300),
  listener: z.string().min(1).max(63).optional(),
  resume: z.boolean().optional(),
});

export function commandRoutes(app: FastifyInstance, { reload, drain, stop }: ApiParts): void {
  app.post('/api/v1/reload', () => reload());
  app.post('/api/v1/drain', (request) => {
    const { success, data, error } = drainSchema.safeParse(request.body);
    if (success) return drain(data as DrainRequest);
    throw new ReeveError('usage', `not a drain request: ${z.prettifyError(error).replaceAll('\n', ' ')}`, {
      hint: 'Send {"target": "host:port"}, with "listener" for one alone and "resume": true to take it back',
    });
  });
  app.post('/api/v1/stop', (_request, reply) => {
    // Only once the answer is out: draining closes this connection too.
    reply.raw.once('finish', stop);
    return reply.code(202).send({ state: 'draining' });
  });
}
