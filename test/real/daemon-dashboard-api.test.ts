// What the dashboard asks of the API: files and their caching, sessions, the machine's ports, leases, history, the stream.
import { readFileSync } from 'node:fs';
import { brotliDecompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { freeSchema, leaseAuditSchema, leaseSchema, whoSchema, whySchema } from '../../src/core/records.ts';
import { startNode } from '../support/children.ts';
import { needs } from '../support/parts.ts';
import { type ApiFixture, authorization, openFixture, token } from './daemon-api-fixture.ts';
import { appService, ask, askJson, house, start } from './daemon-support.ts';

const json = { 'content-type': 'application/json' };
const post = (fixture: ApiFixture, route: string, body: object, headers: Record<string, string> = {}) =>
  ask(fixture.api.address, route, {
    method: 'POST',
    headers: { ...json, ...headers },
    body: JSON.stringify(body),
  });

test('files come compressed, are kept by browsers, and together are small', async () => {
  const { api } = await openFixture();
  const headers = { 'accept-encoding': 'gzip, br;q=1.0' };
  const page = await fetch(`http://${api.address}/`, { headers });
  expect(page.headers.get('content-encoding')).toBe('br');
  expect(page.headers.get('cache-control')).toBe('no-cache');
  const policy = page.headers.get('content-security-policy')!;
  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toMatch(/unsafe|\*|http:/);
  const html = await page.text();
  expect(html).not.toMatch(/<style|style=|<script(?![^>]*src=)|\son\w+=/);
  const names = [...html.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, name]) => name!);
  expect(names.filter((name) => name.startsWith('/assets/')).length).toBeGreaterThanOrEqual(2);
  let total = 0;
  for (const name of names.filter((each) => each !== '/plain')) {
    const plain = await ask(api.address, name);
    expect(plain.status, name).toBe(200);
    expect(plain.headers['content-encoding'], name).toBeUndefined();
    if (name.startsWith('/assets/')) expect(plain.headers['cache-control']).toContain('immutable');
    const again = await ask(api.address, name, { headers: { 'if-none-match': plain.headers.etag! } });
    expect([again.status, again.text]).toEqual([304, '']);
    const small = await fetchRaw(api.address, name);
    expect(brotliOr(small)).toBe(plain.text);
    total += small.body.length;
  }
  expect(total).toBeLessThan(150_000);
  for (const name of ['/assets/../reeve.cjs', '/assets/%2e%2e/reeve.cjs', '/assets/none.js', '/index.html']) {
    expect((await ask(api.address, name)).status, name).toBe(404);
  }
});

test('a session needs both halves, and neither works alone', async () => {
  const fixture = await openFixture();
  expect((await post(fixture, '/api/v1/session', { token: 'wrong' })).status).toBe(401);
  expect((await post(fixture, '/api/v1/session', {})).status).toBe(400);
  const opened = await post(fixture, '/api/v1/session', { token });
  expect(opened.status).toBe(200);
  const [cookie] = opened.headers['set-cookie']!;
  expect(cookie).toMatch(/; HttpOnly; SameSite=Strict; Max-Age=/);
  const { proof } = JSON.parse(opened.text) as { proof: string };
  const halves = { cookie: cookie!.split(';')[0]!, 'x-reeve-proof': proof };
  const drain = (headers: Record<string, string>) =>
    post(fixture, '/api/v1/drain', { target: 'a:1' }, headers);
  expect((await drain({ cookie: halves.cookie })).status).toBe(401);
  expect((await drain({ 'x-reeve-proof': proof })).status).toBe(401);
  expect((await drain({ ...halves, origin: 'http://127.0.0.1:3000' })).status).toBe(403);
  expect((await drain({ ...halves, 'sec-fetch-site': 'same-site' })).status).toBe(403);
  expect((await drain(halves)).status).toBe(200);
  const asked = await ask(fixture.api.address, '/api/v1/session', { headers: halves });
  expect(JSON.parse(asked.text)).toEqual({ signedIn: true, tokenFile: '/x/token' });
  const ended = await post(fixture, '/api/v1/session/end', {}, halves);
  expect(ended.headers['set-cookie']![0]).toContain('Max-Age=0');
});

test('what cannot be read right is refused with what is accepted', async () => {
  const { api } = await openFixture();
  for (const route of [
    'history?series=nothing',
    'history?series=listener/web&range=1y',
    'history?series=listener/web&fields=none',
    'why?endpoint=x',
    'why',
    'who?target=%',
    'leases/audit?limit=0',
    'live?since=x',
  ]) {
    expect((await ask(api.address, `/api/v1/${route}`)).status, route).toBe(400);
  }
});

test.runIf(needs("the machine's ports over the API", 'linux'))(
  'who, why and free say over HTTP what the commands say',
  async () => {
    const fixture = await openFixture();
    const { address } = fixture.api;
    const script = `require('net').createServer().listen(0, '127.0.0.1', function () { console.log(this.address().port) })`;
    const child = await startNode(script, { detached: true });
    const port = Number(child.line);
    const all = whoSchema.parse(await askJson(address, '/api/v1/who'));
    expect(all.sockets.find((socket) => socket.port === port)?.holders[0]?.pid).toBe(child.pid);
    const one = whoSchema.parse(await askJson(address, `/api/v1/who?target=${port}`));
    expect(one.sockets.map((socket) => socket.port)).toEqual([port]);
    expect(whySchema.parse(await askJson(address, `/api/v1/why?endpoint=127.0.0.1:${port}`)).verdict).toBe(
      'held',
    );
    expect(await askJson(address, '/api/v1/ranges')).toMatchObject({ pool: { first: 20_000, last: 32_000 } });

    expect((await post(fixture, '/api/v1/free', { target: String(port) })).status).toBe(401);
    const planned = await post(fixture, '/api/v1/free', { target: String(port) }, { authorization });
    const plan = JSON.parse(planned.text) as { id: string; results: { outcome: string }[] };
    expect(plan.results[0]!.outcome).toBe('planned');
    expect(child.process.signalCode).toBeNull();
    const apply = () => post(fixture, '/api/v1/free/apply', { id: plan.id }, { authorization });
    expect(freeSchema.parse(JSON.parse((await apply()).text)).results[0]).toMatchObject({ outcome: 'freed' });
    expect((await apply()).status).toBe(404);
    const own = await post(fixture, '/api/v1/free', { target: address.split(':')[1]! }, { authorization });
    expect(JSON.parse(own.text)).toMatchObject({ id: null, results: [{ outcome: 'refused' }] });
  },
);

test('leases, history and configuration of a daemon, across its restart', async () => {
  const place =
    house(`services:${appService.replace('instances: 2', 'instances: 2\n    env: { SECRET: hunter2 }')}
listeners: { web: { bind: ["127.0.0.1:0"], balance: { service: app } } }`);
  const daemon = await start(place);
  const get = <T>(route: string, from = daemon) => askJson<T>(from.address, `/api/v1/${route}`);
  const { leases } = leaseSchema.parse(await get('leases'));
  expect(leases.map(({ name }) => name).sort()).toEqual(['service/app/0/http', 'service/app/1/http']);
  expect(leaseAuditSchema.parse(await get('leases/audit')).entries.length).toBeGreaterThanOrEqual(2);

  const shown = await get<{ config: object; lastReload: unknown }>('config');
  expect(JSON.stringify(shown)).not.toContain('hunter2');
  expect(shown.lastReload).toBeNull();
  place.write(
    readFileSync(place.file, 'utf8')
      .split('state: ./state')[1]!
      .replace(/^.*\n.*\n/, '')
      .replace('instances: 2', 'instances: 1'),
  );
  await daemon.reload();
  expect(await get('config')).toMatchObject({
    lastReload: { error: null, changes: [{ path: 'services.app.instances', before: 2, after: 1 }] },
  });

  const seen = () =>
    get<{ at: number[]; series: Record<string, unknown> }>('history?series=instance/*&range=10m');
  await expect
    .poll(async () => Object.keys((await seen()).series), { timeout: 15_000 })
    .toContain('instance/app/0');
  const before = (await seen()).at;
  await daemon.drainAndStop();
  const again = await start(place);
  const after = await askJson<{ at: number[] }>(again.address, '/api/v1/history?series=instance/*&range=10m');
  expect(after.at).toEqual(expect.arrayContaining(before));
});

async function fetchRaw(address: string, name: string): Promise<{ coding: string; body: Buffer }> {
  const { request } = await import('node:http');
  return new Promise((resolve, reject) => {
    const [host, port] = address.split(':');
    request({ host, port, path: name, headers: { 'accept-encoding': 'br' }, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ coding: response.headers['content-encoding'] ?? 'identity', body: Buffer.concat(chunks) }),
      );
    })
      .on('error', reject)
      .end();
  });
}

function brotliOr({ coding, body }: { coding: string; body: Buffer }): string {
  return (coding === 'br' ? brotliDecompressSync(body) : body).toString('utf8');
}
