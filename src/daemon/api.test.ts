// The control API over real HTTP: routes, the guard in place, limits, event streams that resume.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { needs, program } from '../../test/support/parts.ts';
import { silentLog, systemClock } from '../core/context.ts';
import { type Api, openApi } from './api.ts';
import { createEventBus, type EventBus } from './events.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import type { DaemonStatus } from './status.ts';

const token = 'b'.repeat(64);
const authorization = `Bearer ${token}`;
const status: DaemonStatus = {
  version: '1.2.3',
  pid: 1,
  state: 'ready',
  startedAt: '2026-01-01T00:00:00.000Z',
  configFile: '/x/<script>alert(1)</script>.yaml',
  control: '127.0.0.1:7070',
  listeners: [
    {
      name: 'web',
      engine: 'portable',
      serves: 'service/api',
      binds: [{ asked: '[::]:8080', address: '[::]:8081', listening: true, verified: true }],
      connections: { active: 1, total: 5 },
      bytes: { received: 10, sent: 20 },
      refused: { rate: 2 },
      ended: { done: 3, idle: 1, 'connect-failed': 1 },
      targets: [
        {
          id: '127.0.0.1:20000',
          instance: 'api/0',
          verdict: 'up',
          draining: false,
          weight: 1,
          backup: false,
          connections: { active: 1, total: 5 },
          failures: 1,
        },
      ],
    },
  ],
  services: [
    {
      name: 'api',
      instances: [
        {
          id: 'api/0',
          state: 'up',
          pid: 2,
          ports: { http: 20000 },
          restarts: 1,
          startedAt: null,
          detail: null,
        },
      ],
    },
  ],
  checks: [
    {
      name: 'db',
      url: 'tcp://127.0.0.1:1',
      verdict: 'up',
      ms: 1,
      reason: null,
      detail: null,
      checkedAt: null,
    },
  ],
  sinks: [{ name: 'events', kind: 'file', accepted: 2, delivered: 2, bytes: 30 }],
};

let api: Api;
let events: EventBus;
let metrics: Metrics;
let done: string[];
let current: DaemonStatus;

beforeEach(async () => {
  events = createEventBus(systemClock);
  metrics = createMetrics('1.2.3');
  done = [];
  current = status;
  api = await openApi({
    host: '127.0.0.1',
    port: 0,
    token,
    log: silentLog,
    events,
    metrics,
    status: () => current,
    reload: async () => ({ changed: [] }),
    drain: ({ target }) => ({ targets: [target] }),
    stop: () => done.push('stop'),
  });
});
afterEach(async () => {
  await api.close();
  metrics.close();
});

type Answer = { status: number; headers: IncomingMessage['headers']; text: string };

async function ask(
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: string,
): Promise<Answer> {
  const [host, port] = api.address.split(':');
  const asked = request({ host, port, method, path, headers, agent: false });
  asked.end(body);
  const response = await answered(asked);
  let text = '';
  for await (const chunk of response) text += chunk;
  return { status: response.statusCode!, headers: response.headers, text };
}

async function answered(asked: ClientRequest): Promise<IncomingMessage> {
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  return response;
}

test('every documented path answers', async () => {
  for (const path of ['status', 'listeners', 'services', 'targets', 'checks', 'sinks']) {
    const { status, headers, text } = await ask('GET', `/api/v1/${path}`);
    expect(status, path).toBe(200);
    expect(headers['content-type'], path).toContain('application/json');
    expect(headers['cache-control']).toBe('no-store');
    expect(JSON.parse(text)).toBeTypeOf('object');
  }
  expect((await ask('HEAD', '/api/v1/status')).status).toBe(200);
  expect(JSON.parse((await ask('GET', '/api/v1/targets')).text).targets[0]).toMatchObject({
    listener: 'web',
    id: '127.0.0.1:20000',
  });
});

test('errors are problem documents', async () => {
  for (const [method, path, headers, code] of [
    ['GET', '/nothing', {}, 404],
    ['DELETE', '/api/v1/status', { authorization }, 405],
    ['POST', '/api/v1/reload', {}, 401],
    ['GET', '/', { host: 'evil.example' }, 403],
    ['GET', '/metrics', { origin: 'http://evil.example' }, 403],
    ['GET', '/api/v1/events?since=x', {}, 400],
  ] as const) {
    const answer = await ask(method, path, headers);
    expect(answer.status, path).toBe(code);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect(Object.keys(JSON.parse(answer.text)).sort()).toEqual([
      'code',
      'detail',
      'hint',
      'status',
      'title',
      'type',
    ]);
  }
});

test('commands take JSON alone, and little of it', async () => {
  const json = { authorization, 'content-type': 'application/json' };
  const drained = await ask('POST', '/api/v1/drain', json, '{"target":"127.0.0.1:1"}');
  expect(JSON.parse(drained.text)).toEqual({ targets: ['127.0.0.1:1'] });
  expect((await ask('POST', '/api/v1/drain', json, '{"target":1}')).status).toBe(400);
  expect((await ask('POST', '/api/v1/drain', json, '{"target":"a","more":1}')).status).toBe(400);
  expect((await ask('POST', '/api/v1/drain', json, '{')).status).toBe(400);
  expect((await ask('POST', '/api/v1/drain', { ...json, 'content-type': 'text/plain' }, '{}')).status).toBe(
    415,
  );
  expect((await ask('POST', '/api/v1/drain', json, `"${'x'.repeat(70_000)}"`)).status).toBe(413);
  expect((await ask('POST', '/api/v1/reload', { authorization })).status).toBe(200);
  expect((await ask('POST', '/api/v1/stop', { authorization })).status).toBe(202);
  await expect.poll(() => done).toEqual(['stop']);
});

test('health names the part that is ill; readiness follows the state', async () => {
  expect((await ask('GET', '/healthz')).status).toBe(200);
  expect((await ask('GET', '/readyz')).status).toBe(200);
  current = { ...status, checks: [{ ...status.checks[0]!, verdict: 'down', reason: 'refused' }] };
  const ill = await ask('GET', '/healthz');
  expect(ill.status).toBe(503);
  expect(JSON.parse(ill.text).parts).toContainEqual({ part: 'check/db', ok: false, detail: 'down: refused' });
  current = { ...status, state: 'draining' };
  expect((await ask('GET', '/healthz')).status).toBe(503);
  expect((await ask('GET', '/readyz')).status).toBe(503);
});

test('the page escapes what it shows and runs no script', async () => {
  const { text, headers } = await ask('GET', '/');
  expect(text).toContain('&lt;script&gt;alert(1)');
  expect(text).not.toContain('<script');
  expect(headers['content-security-policy']).toContain("default-src 'none'");
});

test('a stream gives what was missed, then what happens', async () => {
  const first = emit('one');
  emit('two');
  const [host, port] = api.address.split(':');
  const asked = request({
    host,
    port,
    path: '/api/v1/events',
    headers: { 'last-event-id': String(first) },
    agent: false,
  });
  asked.end();
  const response = await answered(asked);
  expect(response.headers['content-type']).toContain('text/event-stream');
  let text = '';
  response.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  await expect.poll(() => text).toContain('"two"');
  const third = emit('three');
  await expect.poll(() => text).toContain(`id: ${third}\nevent: daemon\ndata: `);
  expect(text).not.toContain('"one"');
  const ended = once(response, 'end');
  await api.close();
  await ended;
});

test('plain JSON waits for the next event', async () => {
  const first = emit('one');
  const waiting = ask('GET', `/api/v1/events?since=${first}&wait=30`);
  // The request is being held once a subscription exists: emit until it answers.
  const timer = setInterval(() => emit('next'), 20);
  const { text } = await waiting;
  clearInterval(timer);
  expect(JSON.parse(text)).toMatchObject({ lost: false, events: [{ message: 'next' }] });
  expect(JSON.parse((await ask('GET', `/api/v1/events?since=${events.last()}`)).text).events).toEqual([]);
});

test('streams are bounded, and one that ends makes room', async () => {
  const [host, port] = api.address.split(':');
  const open: ClientRequest[] = [];
  for (let i = 0; i < 32; i++) {
    const asked = request({ host, port, path: '/api/v1/events', agent: false });
    asked.on('error', () => {});
    asked.end();
    expect((await answered(asked)).statusCode).toBe(200);
    open.push(asked);
  }
  expect((await ask('GET', '/api/v1/events')).status).toBe(503);
  open[0]!.destroy();
  await expect
    .poll(async () => {
      const asked = request({ host, port, path: '/api/v1/events', agent: false });
      asked.on('error', () => {});
      asked.end();
      const { statusCode } = await answered(asked);
      asked.destroy();
      return statusCode;
    })
    .toBe(200);
  for (const asked of open) asked.destroy();
});

test('the metrics tell the status in numbers', async () => {
  metrics.connectionEnded('web', {
    client: '127.0.0.1:5',
    target: '127.0.0.1:20000',
    reason: 'done',
    received: 1,
    sent: 1,
    ms: 12,
    connectMs: 1,
    retries: 0,
    detail: null,
  });
  const { text, headers } = await ask('GET', '/metrics');
  expect(headers['content-type']).toContain('text/plain; version=0.0.4');
  for (const line of [
    'portreeve_connections_total{listener="web"} 5',
    'portreeve_refusals_total{listener="web",reason="rate"} 2',
    'portreeve_connection_errors_total{listener="web",reason="connect-failed"} 1',
    'portreeve_connection_duration_seconds_bucket{le="0.025",listener="web"} 1',
    'portreeve_target_up{listener="web",target="127.0.0.1:20000"} 1',
    'portreeve_instance_up{service="api",instance="api/0"} 1',
    'portreeve_check_up{check="db"} 1',
    'portreeve_sink_bytes_total{sink="events"} 30',
  ]) {
    expect(text).toContain(line);
  }
  expect(text).not.toContain('127.0.0.1:5"');
  // A second scrape tells the same: reading does not count.
  expect((await ask('GET', '/metrics')).text).toContain('portreeve_connections_total{listener="web"} 5');
});

test.runIf(needs('promtool accepts the metrics', 'promtool'))('promtool accepts the metrics', async () => {
  metrics.checkResult('db', 'up', 3);
  metrics.event('daemon');
  const { text } = await ask('GET', '/metrics');
  const { status, stdout, stderr } = spawnSync(program('promtool')!, ['check', 'metrics'], {
    input: text,
    encoding: 'utf8',
  });
  expect(stdout + stderr).toBe('');
  expect(status).toBe(0);
});

function emit(message: string): number {
  return events.emit({ kind: 'daemon', subject: 'daemon', message, detail: {} }).id;
}
