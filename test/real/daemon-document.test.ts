// The API's document is true: every route is in it, and every real answer of a daemon is as it says.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import path from 'node:path';
import type { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';
import type { OpenApi } from '../../src/daemon/openapi.ts';
import { connect as connectLibrary } from '../../src/index.ts';
import { eventually } from '../support/children.ts';
import { openFixture } from './daemon-api-fixture.ts';
import { addressOf, appService, ask, askJson, house, start } from './daemon-support.ts';

// A part of fastify, which it is found through.
const throughFastify = createRequire(createRequire(import.meta.url).resolve('fastify'));
const { default: Ajv } = throughFastify('ajv/dist/2020') as { default: typeof Ajv2020 };

type Json = Record<string, unknown>;

/** Fields that the document does not name may come with a later version; from this one they are mistakes. */
function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed);
  if (typeof value !== 'object' || value === null) return value;
  const own = Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, closed(inner)])) as Json;
  if (own.type === 'object' && own.properties && own.additionalProperties === undefined)
    own.additionalProperties = false;
  return own;
}

async function readDocument(address: string) {
  const document = await askJson<OpenApi>(address, '/openapi.json');
  const ajv = new Ajv({
    strict: false,
    allErrors: true,
    formats: { 'date-time': (text: string) => !Number.isNaN(Date.parse(text)) && /T.*Z$/.test(text) },
  });
  ajv.addSchema({ ...(closed(document) as Json), $id: 'api' });
  return {
    document,
    /** Of a schema in the document, by its place. */
    expectValid(value: unknown, ...place: string[]) {
      const pointer = place
        .map((word) => word.replaceAll('~', '~0').replaceAll('/', '~1'))
        .map(encodeURIComponent)
        .join('/');
      const validate = ajv.compile({ $ref: `api#/${pointer}` });
      expect(
        validate(value),
        `${place.join(' ')}: ${JSON.stringify(validate.errors)}\n${JSON.stringify(value)}`,
      ).toBe(true);
    },
  };
}

type Reader = Awaited<ReturnType<typeof readDocument>>;

/** Asks, and holds the answer against what the document says of that status and type. */
async function askAsTold(
  { document, expectValid }: Reader,
  address: string,
  method: 'get' | 'post',
  path: string,
  { target = path, token, body }: { target?: string; token?: string; body?: unknown } = {},
): Promise<{ status: number; json: Json }> {
  const operation = document.paths[path]?.[method];
  expect(operation, `${method} ${path}`).toBeDefined();
  const answer = await ask(address, target, {
    method: method.toUpperCase(),
    headers: {
      ...(token && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const status = operation!.responses[String(answer.status)] ? String(answer.status) : 'default';
  const type = String(answer.headers['content-type']).split(';')[0]!;
  const { content } = operation!.responses[status]!;
  const told = content?.[type] ? type : '*/*';
  expect(
    content?.[told],
    `${method} ${target} answers ${answer.status} ${type}: ${answer.text}`,
  ).toBeDefined();
  const json = type.endsWith('json') ? (JSON.parse(answer.text) as Json) : {};
  if (type.endsWith('json'))
    expectValid(json, 'paths', path, method, 'responses', status, 'content', told, 'schema');
  return { status: answer.status, json };
}

const yaml = `
services:${appService}
listeners:
  web: { bind: ["127.0.0.1:0"], balance: { service: app } }
  intake: { bind: ["127.0.0.1:0"], frame: line, sink: lines }
sinks: { lines: { file: ./lines } }
checks:
  near: { url: "tcp://127.0.0.1:1", interval: 200ms }
`;

test('every answer of a daemon is as the document says', { timeout: 60_000 }, async () => {
  const place = house(yaml);
  const daemon = await start(place);
  const { address } = daemon;
  const reader = await readDocument(address);
  const token = readFileSync(`${place.folder}/state/token`, 'utf8').trim();
  const get = (path: string, target = path) => askAsTold(reader, address, 'get', path, { target });
  const post = (path: string, body?: unknown) =>
    askAsTold(reader, address, 'post', path, { token, ...(body !== undefined && { body }) });
  await eventually(
    async () =>
      (
        await askJson<{ listeners: { targets: { verdict: string }[] }[] }>(address, '/api/v1/status')
      ).listeners[0]!.targets.every(({ verdict }) => verdict === 'up'),
    20_000,
  );
  await ask(addressOf(daemon, 'web'), '/');
  await new Promise<void>((resolve) => {
    const [host, port] = addressOf(daemon, 'intake').split(':');
    connect(Number(port), host)
      .once('close', () => resolve())
      .on('error', resolve)
      .end('a line\n');
  });

  const asked = new Set<string>();
  const told = async (
    method: string,
    path: string,
    work: Promise<{ status: number; json: Json }>,
    status = 200,
  ) => {
    asked.add(`${method} ${path}`);
    const answer = await work;
    expect(answer.status, `${method} ${path} ${JSON.stringify(answer.json)}`).toBe(status);
    return answer.json;
  };
  const simple = [
    'status',
    'listeners',
    'services',
    'checks',
    'maintenance',
    'sinks',
    'targets',
    'registry',
    'registry/services',
    'session',
    'leases',
    'leases/audit',
    'config',
    'ranges',
    'who',
  ];
  for (const name of simple) await told('get', `/api/v1/${name}`, get(`/api/v1/${name}`));
  for (const path of ['/', '/icon.svg', '/plain', '/metrics', '/readyz', '/openapi.json', '/docs'])
    await told('get', path, get(path));
  const [asset] = /\/assets\/[^"]+\.js/.exec((await ask(address, '/')).text)!;
  await told('get', '/assets/{file}', get('/assets/{file}', asset));
  await told('get', '/healthz', get('/healthz'), 503);
  await told('get', '/probe', get('/probe', '/probe?target=near'));
  await told(
    'get',
    '/api/v1/registry/services/{service}',
    get('/api/v1/registry/services/{service}', '/api/v1/registry/services/app'),
  );
  await told('get', '/api/v1/events', get('/api/v1/events', '/api/v1/events?since=0'));
  await told('get', '/api/v1/why', get('/api/v1/why', `/api/v1/why?endpoint=${addressOf(daemon, 'web')}`));
  await told('get', '/api/v1/history', get('/api/v1/history', '/api/v1/history?series=check/near'));
  await told('post', '/api/v1/maintain', post('/api/v1/maintain', { name: 'near', forMs: 60_000 }));
  const [{ id }] = (await askJson<{ targets: { id: string }[] }>(address, '/api/v1/targets')).targets as [
    { id: string },
  ];
  await told('post', '/api/v1/drain', post('/api/v1/drain', { target: id }));
  await told('post', '/api/v1/weight', post('/api/v1/weight', { target: id, weight: 3 }));
  await told('post', '/api/v1/restart', post('/api/v1/restart', { service: 'app', instance: 0 }));
  await told('post', '/api/v1/scale', post('/api/v1/scale', { service: 'app', instances: 1 }));
  await told('post', '/api/v1/reload', post('/api/v1/reload'));
  // An upgrade itself needs a process of its own (the tests of upgrade): here what refuses one.
  await told('post', '/api/v1/upgrade', post('/api/v1/upgrade', { nothing: 1 }), 400);
  await told('post', '/api/v1/free', post('/api/v1/free', { target: address.split(':')[1] }));
  await told('post', '/api/v1/free/apply', post('/api/v1/free/apply', { id: 'none' }), 404);
  await told(
    'post',
    '/api/v1/session',
    askAsTold(reader, address, 'post', '/api/v1/session', { body: { token } }),
  );
  await told('post', '/api/v1/session/end', post('/api/v1/session/end', {}));

  // What is wrong is a problem with one of the codes.
  for (const [method, path, target, body] of [
    ['get', '/api/v1/why', '/api/v1/why', undefined],
    ['get', '/probe', '/probe?target=nobody', undefined],
    ['post', '/api/v1/drain', '/api/v1/drain', {}],
    ['post', '/api/v1/drain', '/api/v1/drain', { target: 'nowhere:1' }],
  ] as const) {
    const { status, json } = await askAsTold(reader, address, method, path, {
      target,
      token,
      ...(body && { body }),
    });
    expect(status).toBeGreaterThanOrEqual(400);
    expect(json).toMatchObject({ status, code: expect.any(String) });
  }
  expect((await askAsTold(reader, address, 'post', '/api/v1/stop')).status).toBe(401);

  for (const [path, names] of [
    ['/api/v1/events', ['*']],
    ['/api/v1/live', ['hello', 'patch', 'event']],
  ] as const) {
    for (const { event, data } of await readStream(
      `http://${address}${path}?since=0`,
      names.length === 1 ? 3 : 40,
    )) {
      const name = names.includes(event as never) ? event : '*';
      reader.expectValid(
        data,
        'paths',
        path,
        'get',
        'responses',
        '200',
        'content',
        'text/event-stream',
        'x-events',
        name,
      );
    }
    asked.add(`get ${path}`);
  }
  await told('post', '/api/v1/stop', post('/api/v1/stop'), 202);
  const all = Object.entries(reader.document.paths).flatMap(([path, of]) =>
    Object.keys(of).map((method) => `${method} ${path}`),
  );
  expect([...asked].sort()).toEqual(all.sort());
  const page = readFileSync(path.resolve(import.meta.dirname, '../../docs/api.md'), 'utf8');
  expect(Object.keys(reader.document.paths).filter((each) => !page.includes(each))).toEqual([]);
});

test('the document has names that are its own, and references that lead somewhere', async () => {
  const { api } = await openFixture();
  const { document } = await readDocument(api.address);
  expect(document.openapi).toBe('3.1.0');
  const ids = Object.values(document.paths).flatMap((of) =>
    Object.values(of).map(({ operationId }) => operationId),
  );
  expect(new Set(ids).size).toBe(ids.length);
  // Every reference leads somewhere.
  for (const [, name] of JSON.stringify(document).matchAll(/#\/components\/schemas\/(\w+)/g)) {
    expect(document.components.schemas[name!], name).toBeDefined();
  }
  expect(
    document.paths['/api/v1/status']!.get!.responses['200']!.content!['application/json']!.schema,
  ).toEqual({ $ref: '#/components/schemas/Status' });
  expect(document.paths['/api/v1/drain']!.post!.security).toEqual([
    { token: [] },
    { session: [], proof: [] },
  ]);
});

test('the client of the library asks what the document says', async () => {
  const place = house(`services:${appService}`);
  const daemon = await start(place);
  const client = await connectLibrary({ configFile: place.file, control: daemon.address });
  expect(await client.status()).toMatchObject({ pid: process.pid, control: daemon.address });
  expect((await client.config()).file).toBe(place.file);
  expect((await client.leases()).leases).toHaveLength(2);
  expect((await client.audit({ name: 'service/app/0/http', limit: 1 })).entries).toHaveLength(1);
  expect((await client.history({ series: 'listener/*', fields: ['active'] })).fields).toEqual(['active']);
  expect((await client.health()).parts.map(({ part }) => part)).toEqual(['service/app']);
  expect(await client.scale({ service: 'app', instances: 1 })).toMatchObject({ before: 2, instances: 1 });
  await expect(client.drain({ target: 'nowhere:1' })).rejects.toMatchObject({ code: 'not-found' });
});

test('the page of the document loads nothing and runs nothing', async () => {
  const { api } = await openFixture();
  const { headers, text } = await ask(api.address, '/docs');
  expect(headers['content-security-policy']).toMatch(/^default-src 'none'; style-src 'sha256-/);
  expect(text).not.toMatch(/<script|<link|<img|style=|\son\w+=/);
  expect(text).toContain('/api/v1/free/apply');
  // Nothing of its own stands among what is for probes and people.
  const { document } = await readDocument(api.address);
  const last = document.tags.at(-1)!.name;
  const others = Object.entries(document.paths).filter(([, of]) => of.get?.tags[0] === last);
  expect(others.map(([path]) => path).filter((path) => path.startsWith('/api/'))).toEqual([]);
});

interface Message {
  event: string;
  data: unknown;
}

/** The first messages of a stream. */
async function readStream(url: string, count: number): Promise<Message[]> {
  const abort = new AbortController();
  const response = await fetch(url, { headers: { accept: 'text/event-stream' }, signal: abort.signal });
  const messages: Message[] = [];
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body!) {
    text += decoder.decode(chunk, { stream: true });
    const blocks = text.split('\n\n');
    text = blocks.pop()!;
    for (const block of blocks) {
      const data = /^data: (.*)$/m.exec(block)?.[1];
      if (data) messages.push({ event: /^event: (.*)$/m.exec(block)![1]!, data: JSON.parse(data) });
    }
    const patched = messages.some(({ event }) => event === 'patch') || count < 10;
    if (messages.length >= Math.min(count, 3) && patched) break;
  }
  abort.abort();
  return messages;
}
