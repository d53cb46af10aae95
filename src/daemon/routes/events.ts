// Events as they happen: a stream that resumes where it broke off (server-sent events), or plain JSON with a wait.
import type { ServerResponse } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import * as z from 'zod';
import { ReeveError } from '../../core/errors.ts';
import { type EventBus, eventSchema, type RecordedEvent } from '../events.ts';
import { declare } from './declare.ts';

/** Each holds a connection and a subscription. */
const maxStreams = 32;
/** A reader that is this far behind (bytes) is cut off; it comes back with Last-Event-ID. */
const maxBehind = 256 * 1024;
/** Milliseconds between comments that keep proxies and clients from giving up. */
const heartbeat = 15_000;

const query = z.object({
  since: z.coerce.number().int().min(0).optional().describe('events after this id; 0: all that are kept'),
  wait: z.coerce.number().min(0).max(60).optional().describe('seconds to wait where there is nothing yet'),
});

const batchSchema = z.object({
  events: z.array(eventSchema).describe('oldest first'),
  lost: z.boolean().describe('some between are no longer kept'),
  last: z.int().describe('the id to ask from the next time'),
});

export function eventRoutes(app: FastifyInstance, events: EventBus): { end(): void } {
  const open = new Set<() => void>();

  const spec = {
    method: 'GET',
    ...{ url: '/api/v1/events', query, response: batchSchema, stream: { '*': eventSchema } },
    headers: { 'Last-Event-ID': 'where a stream goes on after a break; as since' },
    summary: 'What happens, as it happens.',
    description:
      'With since and without Accept: text/event-stream it answers once, as JSON, when there is something or wait is over. ' +
      'Otherwise it is a stream of server-sent events that begins after Last-Event-ID or since, else now; the name of each ' +
      'is its kind, its id is where to go on. The last 1000 are kept. A comment comes every 15 s. A reader that is more ' +
      'than 256 KiB behind is cut off, and resumes.',
    hint: 'since is an event id, wait a number of seconds up to 60',
  } as const;
  declare(app, spec, async ({ query: data }, request, reply) => {
    if (open.size >= maxStreams) {
      throw new ReeveError('unknown', `${maxStreams} event streams are open already: that many are accepted`);
    }
    if (data.since !== undefined && !wantsStream(request)) {
      await next(request, data.since, (data.wait ?? 0) * 1000);
      return { ...events.since(data.since), last: events.last() };
    }
    reply.hijack();
    for (const [name, value] of Object.entries(reply.getHeaders())) {
      if (value !== undefined) reply.raw.setHeader(name, value);
    }
    const last = Number(request.headers['last-event-id'] ?? data.since ?? Number.NaN);
    stream(reply.raw, Number.isSafeInteger(last) ? last : events.last(), request.method === 'HEAD');
    return reply;
  });

  function stream(response: ServerResponse, from: number, headOnly: boolean): void {
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
    if (headOnly) return void response.end();
    response.write(': portreeve events\n\n');
    const send = (event: RecordedEvent) => {
      response.write(`id: ${event.id}\nevent: ${event.kind}\ndata: ${JSON.stringify(event)}\n\n`);
      if (response.writableLength > maxBehind) response.destroy();
    };
    for (const event of events.since(from).events) send(event);
    const unsubscribe = events.subscribe(send);
    const timer = setInterval(() => response.write(': still here\n\n'), heartbeat);
    const end = () => response.end();
    open.add(end);
    response.once('close', () => {
      unsubscribe();
      clearInterval(timer);
      open.delete(end);
    });
  }

  /** Resolves with the first event after `since`, after `ms`, or when the client has gone. */
  function next(request: FastifyRequest, since: number, ms: number): Promise<void> {
    if (ms === 0 || events.since(since).events.length > 0) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        unsubscribe();
        clearTimeout(timer);
        request.raw.socket.off('close', done);
        open.delete(done);
        resolve();
      };
      const unsubscribe = events.subscribe(done);
      const timer = setTimeout(done, ms);
      request.raw.socket.once('close', done);
      open.add(done);
    });
  }

  return {
    end() {
      for (const end of [...open]) end();
    },
  };
}

function wantsStream(request: FastifyRequest): boolean {
  return (request.headers.accept ?? '').includes('text/event-stream');
}
