// What can be read: the status and its parts, the registry, health and metrics.
import type { FastifyInstance } from 'fastify';
import * as z from 'zod';
import type { ApiParts } from '../api-parts.ts';
import { healthOf, healthSchema, readySchema } from '../health.ts';
import {
  checkStatusSchema,
  listenerSchema,
  maintenanceSchema,
  registrySchema,
  serviceSchema,
  sinkSchema,
  statusSchema,
  targetSchema,
} from '../status.ts';
import { declare } from './declare.ts';

/** Milliseconds. */
const findWithin = 4_000;

const foundInstanceSchema = z.object({
  id: z.string(),
  service: z.string(),
  host: z.string(),
  port: z.int(),
  ports: z.record(z.string(), z.int()),
  tags: z.array(z.string()),
  meta: z.record(z.string(), z.string()),
  standing: z.enum(['pass', 'warn', 'fail']),
  reason: z.string().nullable().describe('why, in the words of the checks'),
  node: z.string().nullable(),
  datacenter: z.string().nullable(),
});

const findQuery = z.object({
  tag: z
    .union([z.string(), z.array(z.string())])
    .optional()
    .describe('all of them must be there'),
  all: z.string().optional().describe('present: also those that do not pass'),
});

export function statusRoutes(app: FastifyInstance, { status, metrics, find }: ApiParts): void {
  const read = (url: string, summary: string, response: z.ZodType, handle: () => unknown) =>
    declare(app, { method: 'GET', url: `/api/v1/${url}`, summary, response }, handle);

  read('status', 'Everything, as reeve status --json says it.', statusSchema, status);
  read(
    'listeners',
    'Where reeve accepts connections, and how they went.',
    z.object({ listeners: z.array(listenerSchema) }),
    () => ({ listeners: status().listeners }),
  );
  read(
    'services',
    'Commands that reeve runs, with their instances.',
    z.object({ services: z.array(serviceSchema) }),
    () => ({ services: status().services }),
  );
  read(
    'checks',
    'Repeated probes and their verdicts.',
    z.object({ checks: z.array(checkStatusSchema) }),
    () => ({ checks: status().checks }),
  );
  read('maintenance', 'What is in maintenance.', z.object({ maintenance: maintenanceSchema }), () => ({
    maintenance: status().maintenance,
  }));
  read('sinks', 'Where received data goes.', z.object({ sinks: z.array(sinkSchema) }), () => ({
    sinks: status().sinks,
  }));
  read(
    'targets',
    'Every place that a listener may send a connection to.',
    z.object({ targets: z.array(targetSchema.extend({ listener: z.string() })) }),
    () => ({
      targets: status().listeners.flatMap(({ name, targets }) =>
        targets.map((target) => ({ listener: name, ...target })),
      ),
    }),
  );
  read(
    'registry',
    'Where services are announced, and how that goes.',
    registrySchema,
    () => status().registry,
  );
  read(
    'registry/services',
    'Which services the registry has.',
    z.object({ services: z.array(z.object({ service: z.string(), tags: z.array(z.string()) })) }),
    () => find(null, AbortSignal.timeout(findWithin)),
  );
  declare(
    app,
    {
      ...{ method: 'GET', url: '/api/v1/registry/services/:service', query: findQuery },
      params: z.object({ service: z.string().min(1).max(200) }),
      response: z.object({ service: z.string(), instances: z.array(foundInstanceSchema) }),
      summary: 'The instances of one service in the registry that pass.',
    },
    ({ params: { service }, query: { all, tag } }) =>
      find({ service, tags: [tag ?? []].flat(), all: all !== undefined }, AbortSignal.timeout(findWithin)),
  );
  declare(
    app,
    {
      ...{ method: 'GET', url: '/healthz', response: healthSchema, statuses: [200, 503] },
      summary: 'Whether every part does its work: 503 where one does not.',
    },
    (_input, _request, reply) => {
      const report = healthOf(status());
      return reply.code(report.ok ? 200 : 503).send(report);
    },
  );
  declare(
    app,
    {
      ...{ method: 'GET', url: '/readyz', response: readySchema, statuses: [200, 503] },
      summary: 'Whether it wants to be sent work: 503 while it starts and drains.',
    },
    (_input, _request, reply) => {
      const { state } = status();
      return reply.code(state === 'ready' ? 200 : 503).send({ ok: state === 'ready', state });
    },
  );
  declare(
    app,
    {
      ...{ method: 'GET', url: '/metrics', media: ['text/plain'] },
      summary: 'The metrics, for Prometheus.',
    },
    async (_input, _request, reply) => {
      const text = await metrics.render(status());
      return reply.type(metrics.contentType).send(text);
    },
  );
}
