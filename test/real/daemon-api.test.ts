// The control API over real HTTP: routes, the guard in place, limits, metrics.
import { spawnSync } from 'node:child_process';
import { beforeEach, expect, test } from 'vitest';
import { needs, program } from '../support/parts.ts';
import { type ApiFixture, authorization, openFixture, status } from './daemon-api-fixture.ts';
import { type Answer, ask as askAt } from './daemon-support.ts';

let fixture: ApiFixture;
beforeEach(async () => {
  fixture = await openFixture();
});

function ask(
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: string,
): Promise<Answer> {
  return askAt(fixture.api.address, path, { method, headers, ...(body === undefined ? {} : { body }) });
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
  await expect.poll(() => fixture.done).toEqual(['stop']);
});

test('health names the part that is ill; readiness follows the state', async () => {
  expect((await ask('GET', '/healthz')).status).toBe(200);
  expect((await ask('GET', '/readyz')).status).toBe(200);
  fixture.current = { ...status, checks: [{ ...status.checks[0]!, verdict: 'down', reason: 'refused' }] };
  const ill = await ask('GET', '/healthz');
  expect(ill.status).toBe(503);
  expect(JSON.parse(ill.text).parts).toContainEqual({ part: 'check/db', ok: false, detail: 'down: refused' });
  fixture.current = { ...status, state: 'draining' };
  expect((await ask('GET', '/healthz')).status).toBe(503);
  expect((await ask('GET', '/readyz')).status).toBe(503);
});

test('the page escapes what it shows and runs no script', async () => {
  const { text, headers } = await ask('GET', '/plain');
  expect(text).toContain('&lt;script&gt;alert(1)');
  expect(text).not.toContain('<script');
  expect(headers['content-security-policy']).toContain("default-src 'none'");
});

test('the metrics tell the status in numbers', async () => {
  fixture.metrics.connectionEnded('web', {
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
  fixture.metrics.checkResult('db', 'up', 3);
  fixture.metrics.event('daemon');
  const { text } = await ask('GET', '/metrics');
  const { status, stdout, stderr } = spawnSync(program('promtool')!, ['check', 'metrics'], {
    input: text,
    encoding: 'utf8',
  });
  expect(stdout + stderr).toBe('');
  expect(status).toBe(0);
});
