// The API as an OpenAPI 3.1 document, made from what the routes declare: there is no second description.
import * as z from 'zod';
import {
  freeSchema,
  leaseAuditSchema,
  leaseSchema,
  socketSchema,
  whoSchema,
  whySchema,
} from '../core/records.ts';
import { eventSchema } from './events.ts';
import { tagOf, tags } from './openapi-topics.ts';
import { problemSchema, problemType } from './problem.ts';
import type { RouteSpec } from './routes/declare.ts';
import * as status from './status.ts';

export type Schema = Record<string, unknown>;

export interface Operation {
  operationId: string;
  summary: string;
  description?: string;
  tags: string[];
  security?: Record<string, string[]>[];
  parameters?: { name: string; in: string; required: boolean; description?: string; schema: Schema }[];
  requestBody?: { required: true; content: Content };
  responses: Record<string, { description: string; content?: Content }>;
}

type Content = Record<string, { schema: Schema; 'x-events'?: Record<string, Schema> }>;

export interface OpenApi {
  openapi: '3.1.0';
  info: { title: string; version: string; description: string };
  tags: { name: string; description: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema>; securitySchemes: Record<string, Schema> };
}

/** Shapes that have a name of their own; others are written where they are used. */
const named = {
  Problem: problemSchema,
  Status: status.statusSchema,
  Listener: status.listenerSchema,
  Target: status.targetSchema,
  Service: status.serviceSchema,
  Instance: status.instanceSchema,
  Check: status.checkStatusSchema,
  Sink: status.sinkSchema,
  Registry: status.registrySchema,
  Certificate: status.certificateSchema,
  Event: eventSchema,
  Who: whoSchema,
  Socket: socketSchema,
  Why: whySchema,
  Free: freeSchema,
  Leases: leaseSchema,
  LeaseAudit: leaseAuditSchema,
};

const refTo = (name: string) => `#/components/schemas/${name}`;
const json = 'application/json';

const description =
  `The control API of a running reeve daemon, on loopback only. Reading needs nothing; a POST needs the
token of control.tokenFile as a bearer, or a session of the dashboard with its proof. Every GET can be a HEAD. Errors are
problem+json. New fields may be added to answers; a field that is here keeps its meaning.`.replaceAll(
    '\n',
    ' ',
  );

export function openApiDocument(specs: RouteSpec[], version: string): OpenApi {
  const schemas = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(named)) schemas.add(schema, { id });
  // One conversion for all, so that a named shape is a reference wherever it is used.
  const wanted = specs.flatMap((spec, i) => [
    ...(spec.response ? [[`answer ${i}`, spec.response] as const] : []),
    ...Object.entries(spec.stream ?? {}).map(([name, schema]) => [`event ${i} ${name}`, schema] as const),
  ]);
  const keys = new Map<string, string>();
  for (const [key, schema] of wanted) {
    const id = schemas.get(schema)?.id ?? key;
    if (id === key) schemas.add(schema, { id });
    keys.set(key, id);
  }
  const made = z.toJSONSchema(schemas, { uri: refTo }).schemas;
  const shape = (key: string): Schema => {
    const id = keys.get(key)!;
    return Object.hasOwn(named, id) ? { $ref: refTo(id) } : open(made[id]!);
  };
  const paths: OpenApi['paths'] = {};
  specs.forEach((spec, i) => {
    const path = spec.url.replace(/:(\w+)/g, '{$1}').replace('*', '{file}');
    paths[path] ??= {};
    paths[path][spec.method.toLowerCase()] = operation(spec, path, (kind) =>
      shape(kind.replace('#', String(i))),
    );
  });
  return {
    openapi: '3.1.0',
    info: { title: 'Portreeve', version, description },
    tags,
    paths,
    components: {
      schemas: Object.fromEntries(Object.keys(named).map((name) => [name, open(made[name]!)])),
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'what is in the file control.tokenFile' },
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: 'reeve_PORT',
          description: 'from POST /api/v1/session',
        },
        proof: { type: 'apiKey', in: 'header', name: 'X-Reeve-Proof', description: 'goes with the session' },
      },
    },
  };
}

function operation(spec: RouteSpec, path: string, shape: (kind: string) => Schema): Operation {
  const { method, params, query, body, response, media = [], stream, headers = {}, statuses = [200] } = spec;
  const content: Content = Object.fromEntries(media.map((type) => [type, { schema: { type: 'string' } }]));
  if (response) content[json] = { schema: shape('answer #') };
  if (stream) {
    const events = Object.keys(stream).map((name) => [name, shape(`event # ${name}`)]);
    content['text/event-stream'] = { schema: { type: 'string' }, 'x-events': Object.fromEntries(events) };
  }
  const parameters = [
    ...(path.includes('{file}') ? [parameter('file', 'path', true, { type: 'string' })] : []),
    ...inputs(params, 'path'),
    ...inputs(query, 'query'),
    ...Object.entries(headers).map(([name, text]) =>
      parameter(name, 'header', false, { type: 'string' }, text),
    ),
  ];
  const refusal = { [problemType.split(';')[0]!]: { schema: { $ref: refTo('Problem') } } };
  const refused = (text: string) => ({ description: text, content: refusal });
  return {
    operationId: operationId(method, path),
    summary: spec.summary,
    ...(spec.description && { description: spec.description }),
    tags: [tagOf(path)],
    ...(method === 'POST' && !spec.open && { security: [{ token: [] }, { session: [], proof: [] }] }),
    ...(parameters.length > 0 && { parameters }),
    ...(body && {
      requestBody: { required: true as const, content: { [json]: { schema: input(body) } } },
    }),
    responses: {
      ...Object.fromEntries(
        statuses.map((code) => [
          String(code),
          { description: code < 300 ? 'done' : 'not so; the same shape', content },
        ]),
      ),
      ...((params || query || body) && { '400': refused('not such a request') }),
      ...(method === 'POST' && { '401': refused('the token is missing or wrong') }),
      default: refused('refused or failed'),
    },
  };
}

function parameter(name: string, place: string, required: boolean, schema: Schema, text?: string) {
  const { description: own, ...rest } = schema;
  const told = text ?? own;
  return { name, in: place, required, ...(typeof told === 'string' && { description: told }), schema: rest };
}

function inputs(schema: z.ZodType | undefined, place: string) {
  if (!schema) return [];
  const { properties = {}, required = [] } = input(schema) as {
    properties?: Record<string, Schema>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, each]) =>
    parameter(name, place, required.includes(name), each),
  );
}

function input(schema: z.ZodType): Schema {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return rest;
}

/** Answers may get more fields: whoever checks them against this must not mind. */
function open(value: Schema): Schema {
  const { $schema, $id, ...rest } = value;
  return opened(rest) as Schema;
}

function opened(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(opened);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([key, of]) => key !== 'additionalProperties' || of !== false);
  return Object.fromEntries(entries.map(([key, inner]) => [key, opened(inner)]));
}

/** `getApiV1LeasesAudit` without what all have: `getLeasesAudit`. */
function operationId(method: string, path: string): string {
  const words = path
    .replace('/api/v1', '')
    .split(/[^A-Za-z0-9]+/)
    .filter(Boolean);
  return [
    method.toLowerCase(),
    ...(words.length > 0 ? words : ['dashboard']).map((word) => word[0]!.toUpperCase() + word.slice(1)),
  ].join('');
}
