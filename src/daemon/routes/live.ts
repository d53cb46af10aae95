// One stream for a dashboard: the status as it changes, samples for its charts, and events, resumed after a break.
import type { FastifyInstance } from 'fastify';
import * as z from 'zod';
import { ReeveError } from '../../core/errors.ts';
import type { ApiParts } from '../api-parts.ts';
import { eventSchema } from '../events.ts';
import { seriesFields } from '../history/series.ts';
import { createLive } from '../live.ts';
import { statusSchema } from '../status.ts';
import { declare } from './declare.ts';

/** A tab each; they all share one comparison. */
const maxStreams = 16;
/** Bytes. A reader that is this far behind is cut off; it comes back and gets all anew. */
const maxBehind = 4 * 1024 * 1024;

const query = z.object({ since: z.coerce.number().int().min(0).optional().describe('as Last-Event-ID') });

const seconds = z.number().describe('seconds since the epoch');
const sample = z
  .record(z.string(), z.array(z.number().nullable()))
  .describe('by series (listener/web), in the order of the fields of its kind');

const helloSchema = z.object({
  status: statusSchema,
  at: seconds,
  fields: z.record(z.string(), z.array(z.string())).describe('of each kind of series'),
  sample,
});

const patchSchema = z.object({
  at: seconds,
  sample,
  whole: statusSchema.optional().describe('in place of set and rows: the first of a stream'),
  set: z.record(z.string(), z.unknown()).optional().describe('top-level values that changed'),
  rows: z
    .record(
      z.string(),
      z.object({
        changed: z.array(z.record(z.string(), z.unknown())).describe('rows that are new or changed'),
        order: z.array(z.string()).optional().describe('all names, where those changed'),
      }),
    )
    .optional()
    .describe('by list of the status'),
});

/** Each second at least one message is sent, so that a client notices when the daemon has gone. */
export function liveRoutes(app: FastifyInstance, parts: ApiParts): { end(): void } {
  const { events, recorder } = parts;
  const live = createLive(recorder);
  const open = new Set<() => void>();

  const spec = {
    method: 'GET',
    ...{ url: '/api/v1/live', query, hint: 'since is the id of an event' },
    stream: { hello: helloSchema, patch: patchSchema, event: eventSchema },
    headers: { 'Last-Event-ID': 'where events go on after a break' },
    summary: 'The status as it changes, samples for charts, and events: what the dashboard lives on.',
    description: 'hello comes first, then a patch each second, and events as they happen.',
  } as const;
  declare(app, spec, async ({ query: { since } }, request, reply) => {
    if (open.size >= maxStreams) {
      throw new ReeveError('unknown', `${maxStreams} live streams are open already: that many are accepted`);
    }
    reply.hijack();
    const response = reply.raw;
    for (const [name, value] of Object.entries(reply.getHeaders())) {
      if (value !== undefined) response.setHeader(name, value);
    }
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
    if (request.method === 'HEAD') {
      response.end();
      return reply;
    }
    const send = (event: string, data: unknown, id?: number) => {
      response.write(
        `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`,
      );
      if (response.writableLength > maxBehind) response.destroy();
    };
    response.write('retry: 1000\n\n');
    const now = parts.status();
    send('hello', {
      status: now,
      at: Date.now() / 1000,
      fields: Object.fromEntries(
        Object.entries(seriesFields).map(([kind, fields]) => [kind, Object.keys(fields)]),
      ),
      sample: recorder.last()?.sample ?? {},
    });
    const resume = Number(request.headers['last-event-id'] ?? since ?? 0);
    for (const event of events.since(Number.isSafeInteger(resume) ? resume : 0).events) {
      send('event', event, event.id);
    }
    const leaveEvents = events.subscribe((event) => send('event', event, event.id));
    const leaveLive = live.watch(({ at, status, sample }, patch) => {
      if (patch) send('patch', { ...patch, sample });
      else send('patch', { at, whole: status, sample });
    });
    const end = () => response.end();
    open.add(end);
    response.once('close', () => {
      leaveEvents();
      leaveLive();
      open.delete(end);
    });
    return reply;
  });

  return {
    end() {
      for (const end of [...open]) end();
    },
  };
}
