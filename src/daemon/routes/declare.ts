// A route with what it takes and gives: requests are parsed by its schemas, and the API's document is made from them.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type * as z from 'zod';
import { ReeveError } from '../../core/errors.ts';

export interface RouteSpec<
  Query extends z.ZodType = z.ZodType,
  Body extends z.ZodType = z.ZodType,
  Params extends z.ZodType = z.ZodType,
> {
  method: 'GET' | 'POST';
  url: string;
  /** One sentence. */
  summary: string;
  /** What else should be known. */
  description?: string;
  params?: Params;
  query?: Query;
  body?: Body;
  /** Of a JSON answer. */
  response?: z.ZodType;
  /** What it answers with otherwise: media types. */
  media?: string[];
  /** One message of a stream of server-sent events: the schema of its data, by the event's name (`*`: any). */
  stream?: Record<string, z.ZodType>;
  /** Headers that change the answer, with what they do. */
  headers?: Record<string, string>;
  /** Of the answer; 200 where absent. The first is the usual one. */
  statuses?: number[];
  /** POST that needs no token. */
  open?: boolean;
  /** What a request may look like, told where it does not. */
  hint?: string;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    spec?: RouteSpec;
  }
}

interface Input<Query extends z.ZodType, Body extends z.ZodType, Params extends z.ZodType> {
  query: z.infer<Query>;
  body: z.infer<Body>;
  params: z.infer<Params>;
}

export function declare<
  Query extends z.ZodType = z.ZodType,
  Body extends z.ZodType = z.ZodType,
  Params extends z.ZodType = z.ZodType,
>(
  app: FastifyInstance,
  spec: RouteSpec<Query, Body, Params>,
  handle: (input: Input<Query, Body, Params>, request: FastifyRequest, reply: FastifyReply) => unknown,
): void {
  const { hint } = spec;
  app.route({
    method: spec.method,
    url: spec.url,
    config: { spec: spec as unknown as RouteSpec },
    handler: async (request, reply) => {
      const input = {
        query: spec.query && parse(spec.query, request.query, hint),
        body: spec.body && parse(spec.body, request.body, hint),
        params: spec.params && parse(spec.params, request.params, hint),
      };
      return handle(input as Input<Query, Body, Params>, request, reply);
    },
  });
}

/** @throws ReeveError `usage` that says what is wrong. */
export function parse<T>(schema: z.ZodType<T>, value: unknown, hint = ''): T {
  const { success, data, error } = schema.safeParse(value);
  if (success) return data;
  const wrong = error.issues.map(({ path, message }) => [...path.map(String), message].join(': ')).join('; ');
  throw new ReeveError('usage', `not such a request: ${wrong}`, {
    ...(hint && { hint }),
  });
}
