// What can be done: reload, drain a target, restart and scale a service, stop. Each needs the token (see guard.ts).
import type { FastifyInstance } from 'fastify';
import * as z from 'zod';
import type { ApiParts } from '../api-parts.ts';
import * as orders from '../orders.ts';
import { declare } from './declare.ts';

export function commandRoutes(app: FastifyInstance, parts: ApiParts): void {
  const { reload, drain, weigh, maintain, restart, scale, stop } = parts;
  declare(
    app,
    {
      ...{ method: 'POST', url: '/api/v1/reload', response: orders.reloadResult },
      summary: 'Reads the configuration again; a wrong file changes nothing.',
    },
    () => reload(),
  );
  declare(
    app,
    {
      ...{ method: 'POST', url: '/api/v1/drain', body: orders.drainRequest, response: orders.drainResult },
      summary: 'Sends no new connections to a target, or takes that back.',
      hint: 'Send {"target": "host:port"}, with "listener" for one alone, "deadlineMs" and "resume": true to take it back',
    },
    ({ body }) => drain(body),
  );
  declare(
    app,
    {
      ...{ method: 'POST', url: '/api/v1/maintain', body: orders.maintainRequest },
      response: orders.maintainResult,
      summary: 'Holds the actions of a check, service, instance or target for a while.',
      hint: 'Send {"name": "user-api"}, with "forMs": 1800000, or "end": true when it is over',
    },
    ({ body }) => maintain(body),
  );
  declare(
    app,
    {
      ...{ method: 'POST', url: '/api/v1/weight', body: orders.weightRequest, response: orders.weightResult },
      summary: 'Gives a target another share of the connections.',
      hint: 'Send {"target": "host:port", "weight": 50}, from 0 to 256, or null for what the configuration says',
    },
    ({ body }) => weigh(body),
  );
  declare(
    app,
    {
      ...{ method: 'POST', url: '/api/v1/restart', body: orders.restartRequest },
      response: orders.restartResult,
      summary: 'Restarts a service, one instance after the other; answers when the last is up again.',
      hint: 'Send {"service": "name"}, with "instance": 0 for one alone',
    },
    ({ body }) => restart(body),
  );
  declare(
    app,
    {
      ...{ method: 'POST', url: '/api/v1/scale', body: orders.scaleRequest, response: orders.scaleResult },
      summary: 'Runs another number of instances.',
      hint: 'Send {"service": "name", "instances": 4}, from 0 to 256',
    },
    ({ body }) => scale(body),
  );
  declare(
    app,
    {
      ...{ method: 'POST', url: '/api/v1/stop', response: z.object({ state: z.literal('draining') }) },
      statuses: [202],
      summary: 'Stops the daemon: it drains its connections and stops its services.',
    },
    (_input, _request, reply) => {
      // Only once the answer is out: draining closes this connection too.
      reply.raw.once('finish', stop);
      return reply.code(202).send({ state: 'draining' });
    },
  );
  declare(
    app,
    {
      ...{ method: 'POST', url: '/api/v1/upgrade', body: orders.upgradeRequest },
      response: orders.upgradeResult,
      summary: 'Starts the daemon anew as another process, which takes over its listening sockets.',
      hint: 'Send {}, with "deadlineMs": 30000 for open connections and "timeoutMs": 60000 to become ready',
    },
    async ({ body }, _request, reply) => {
      const result = await parts.upgrade(body);
      // Only once the answer is out, or nobody waits for it any more.
      if (reply.raw.closed) parts.leave();
      else reply.raw.once('close', parts.leave);
      return result;
    },
  );
}
