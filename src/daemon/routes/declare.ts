// A route with what it takes and gives: requests are parsed by its schemas, and whoever describes the API reads them.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import * as z from 'zod';
import { ReeveError } from '../../core/errors.ts';

export interface RouteSpec<Query extends z.ZodType, Body extends z.ZodType> {
  method: 'GET' | 'POST';
  url: string;
  /** One sentence for the description of the API. */
  summary: string;
  query?: Query;
  body?: Body;
  response: z.ZodType;
  /** What a request may look like, told where it does not. */
  hint?: string;
}

/** Every route that was declared, for a document made from them. */
export type AnyRouteSpec = RouteSpec<z.ZodType, z.ZodType>;

declare module 'fastify' {
  interface FastifyContextConfig {
    spec?: AnyRouteSpec;
  }
}

export function declare<Query extends z.ZodType = z.ZodType, Body extends z.ZodType = z.ZodType>(
  app: FastifyInstance,
  spec: RouteSpec<Query, Body>,
  handle: (
    input: { query: z.infer<Query>; body: z.infer<Body> },
    request: FastifyRequest,
    reply: FastifyReply,
  ) => unknown,
): void {
  app.route({
    method: spec.method,
    url: spec.url,
    config: { spec: spec as unknown as AnyRouteSpec },
    handler: async (request, reply) => {
      const query = spec.query ? parse(spec.query, request.query, spec.hint) : undefined;
      const body = spec.body ? parse(spec.body, request.body, spec.hint) : undefined;
      return handle({ query: query as z.infer<Query>, body: body as z.infer<Body> }, request, reply);
    },
  });
}

/** @throws ReeveError `usage` that says what is wrong. */
export function parse<T>(schema: z.ZodType<T>, value: unknown, hint = ''): T {
  const { success, data, error } = schema.safeParse(value);
  if (success) return data;
  throw new ReeveError('usage', `not such a request: ${z.prettifyError(error).replaceAll('\n', ' ')}`, {
    ...(hint && { hint }),
  });
}
