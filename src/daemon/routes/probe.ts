// GET /probe?target=NAME: a probe of a configured check at once, for Prometheus.
import type { FastifyInstance } from 'fastify';
import * as z from 'zod';
import { ReeveError } from '../../core/errors.ts';
import type { ApiParts } from '../api-parts.ts';
import { declare } from './declare.ts';

const query = z.object({ target: z.string().min(1).max(63).describe('a check of the configuration') });
/** Each is beside the checks' own. */
const mostAtOnce = 32;
/** Prometheus gives up before its answer has come: so much earlier there must be one (blackbox exporter's own). */
const offset = 500;
const longest = 10_000;

export function probeRoutes(app: FastifyInstance, { probe }: Pick<ApiParts, 'probe'>): void {
  let open = 0;
  const spec = {
    method: 'GET',
    ...{ url: '/probe', query, media: ['text/plain'] as string[] },
    headers: { 'X-Prometheus-Scrape-Timeout-Seconds': 'how long the probe may take' },
    summary: 'Probes a configured check at once, for Prometheus.',
    hint: 'Name a check of the configuration: /probe?target=NAME',
  } as const;
  declare(app, spec, async ({ query: data }, request, reply) => {
    if (open >= mostAtOnce) throw new ReeveError('unknown', `${mostAtOnce} probes are under way already`);
    const asked = Number(request.headers['x-prometheus-scrape-timeout-seconds'] ?? Number.NaN) * 1000;
    const timeout = asked > offset ? Math.min(longest, asked - offset) : longest;
    const gone = new AbortController();
    const stop = () => gone.abort();
    request.raw.socket.once('close', stop);
    open += 1;
    try {
      const text = await probe(data.target, timeout, gone.signal);
      return await reply.type('text/plain; version=0.0.4; charset=utf-8').send(text);
    } finally {
      open -= 1;
      request.raw.socket.off('close', stop);
    }
  });
}
