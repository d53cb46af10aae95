// Dialling real servers: one that hangs, one that resets, one that works; sockets that are used again; fallbacks.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer, type Server as HttpServer, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { Registry } from 'prom-client';
import { afterEach, describe, expect, it } from 'vitest';
import { dial } from '../../src/index.ts';
import { createAuthority } from '../support/authority.ts';
import { eventually, startNode } from '../support/children.ts';
import { needs } from '../support/parts.ts';

const ended: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end();
});

async function listen(server: Server | HttpServer): Promise<string> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).once('close', () => sockets.delete(socket));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  ended.push(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const http = (listener: RequestListener) => listen(createHttpServer(listener));
const tcp = (listener: (socket: Socket) => void) => listen(createServer(listener));

function started<T extends { close(): Promise<void> }>(pool: T): T {
  ended.push(() => pool.close());
  return pool;
}

describe('a service with three instances, of which one hangs, one resets and one works', () => {
  it('answers all of 1,000 requests, and its breakers tell why', async () => {
    let heals = false;
    let served = 0;
    const hangs = await tcp(() => {});
    const resets = await http((request, response) => {
      if (heals) response.end('healed');
      else request.socket.resetAndDestroy();
    });
    const works = await http((_, response) => {
      served += 1;
      response.end('works');
    });
    const pool = started(
      dial('user-api', {
        targets: [hangs, resets, works],
        policy: 'round-robin',
        answerTimeoutMs: 1000,
        retry: { backoff: { min: 20, max: 200 } },
        breaker: { openMs: 400, longestMs: 60_000 },
      }),
    );
    const story: Record<string, string[]> = { [hangs]: [], [resets]: [], [works]: [] };
    for (const event of ['open', 'half-open', 'closed'] as const)
      pool.on(event, ({ target }) => story[target]!.push(event));
    const reasons = new Set<string>();
    pool.on('retry', ({ target, reason }) => reasons.add(`${target} ${reason.replace(/\s*\(.*/, '')}`));

    let asked = 0;
    const ask = async (bodies: string[]) => {
      while (asked < 1000) {
        asked += 1;
        const response = await pool.fetch(`/?${asked}`);
        bodies.push(`${response.status} ${await response.text()}`);
      }
    };
    const bodies: string[] = [];
    await Promise.all(Array.from({ length: 20 }, () => ask(bodies)));
    expect(bodies).toHaveLength(1000);
    expect(new Set(bodies)).toEqual(new Set(['200 works']));
    expect(served).toBeGreaterThanOrEqual(1000);
    expect(pool.counters()).toMatchObject({ calls: 1000, succeeded: 1000, failed: 0 });
    expect(story[works]).toEqual([]);
    for (const bad of [hangs, resets]) expect(story[bad]!.slice(0, 1)).toEqual(['open']);
    expect([...reasons]).toContain(`${hangs} no answer within 1s`);
    expect([...reasons].filter((reason) => reason.startsWith(resets))).not.toEqual([]);

    // One that is well again is found out by one probe, and used as before.
    heals = true;
    await eventually(async () => {
      await (await pool.fetch('/')).text();
      return story[resets]!.at(-1) === 'closed';
    });
    expect(story[resets]!.slice(-2)).toEqual(['half-open', 'closed']);
    const states = Object.fromEntries(pool.targets().map(({ id, breaker }) => [id, breaker]));
    expect(states).toMatchObject({ [resets]: 'closed', [works]: 'closed' });
    expect(states[hangs]).not.toBe('closed');
    expect(story[hangs]!.filter((event) => event === 'closed')).toEqual([]);

    const metrics = new Registry();
    await pool.expose(metrics);
    const text = await metrics.metrics();
    expect(text).toMatch(/portreeve_dial_succeeded_total\{pool="user-api"\} 1\d\d\d/);
    expect(text).toContain('portreeve_dial_breaker{pool="user-api",state="closed"} 2');
  });
});

/** Answers each line with the same, in capitals. */
function upper(seen: Socket[] = []) {
  return tcp((socket) => {
    seen.push(socket);
    socket.on('data', (data) => socket.write(String(data).toUpperCase()));
  });
}

const say = (text: string) => async (socket: Socket) => {
  const answer = once(socket, 'data');
  socket.write(text);
  return String((await answer)[0]);
};

describe('connections of the pool', () => {
  it('are used again, and one that the target has ended meanwhile is not', async () => {
    const seen: Socket[] = [];
    const pool = started(dial('upper', { targets: [await upper(seen)] }));
    expect(await pool.use(say('one'))).toBe('ONE');
    expect(await pool.use(say('two'))).toBe('TWO');
    expect(seen).toHaveLength(1);
    expect(pool.counters()).toMatchObject({ connected: 1, reused: 1, idle: 1 });
    seen[0]!.end();
    await eventually(() => pool.counters().idle === 0);
    expect(await pool.use(say('three'))).toBe('THREE');
    seen[1]!.resetAndDestroy();
    expect(await pool.use(say('four'))).toBe('FOUR');
    expect(pool.counters()).toMatchObject({ calls: 4, succeeded: 4 });
  });

  it('are discarded with unread bytes, when they are too old, and when they were idle for too long', async () => {
    const seen: Socket[] = [];
    const targets = [await upper(seen)];
    const pool = started(dial('upper', { targets, pool: { lifetimeMs: 200 } }));
    await pool.use(say('one'));
    seen[0]!.write('nobody asked');
    await eventually(() => pool.counters().idle === 0);
    expect(await pool.use(say('two'))).toBe('TWO');
    expect(seen).toHaveLength(2);
    await eventually(() => pool.counters().idle === 0);
    await eventually(() => seen.every((socket) => socket.destroyed));
    const other = started(dial('upper', { targets, pool: { idleMs: 50 } }));
    await other.use(say('three'));
    await eventually(() => other.counters().idle === 0);
  });

  it('are no more than they may be: others wait in turn, not for ever and not too many', async () => {
    const seen: Socket[] = [];
    const rules = { max: 2, queue: 4, queueTimeoutMs: 150 };
    const pool = started(
      dial('upper', { targets: [await upper(seen)], pool: rules, retry: { attempts: 0 } }),
    );
    const all = await Promise.all(['a', 'b', 'c', 'd', 'e', 'f'].map((text) => pool.use(say(text))));
    expect(all).toEqual(['A', 'B', 'C', 'D', 'E', 'F']);
    expect(seen).toHaveLength(2);

    const told: string[] = [];
    for (const event of ['queue-timeout', 'queue-full'] as const) pool.on(event, () => told.push(event));
    const holding = [await pool.connect(), await pool.connect()];
    const waiting = ['g', 'h', 'i', 'j'].map((text) => pool.use(say(text)));
    const settled = Promise.allSettled(waiting);
    await eventually(() => pool.counters().waiting === 4);
    await expect(pool.use(say('k'))).rejects.toMatchObject({ code: 'conflict' });
    expect((await settled).map(({ status }) => status)).toEqual(Array(4).fill('rejected'));
    expect(told).toEqual(['queue-full', ...Array(4).fill('queue-timeout')]);
    await expect(waiting[0]).rejects.toMatchObject({ code: 'timeout' });
    for (const socket of holding) socket.destroy();
    expect(await pool.use(say('l'))).toBe('L');
  });

  it('give errors of the work as they are, and try again only what is safe', async () => {
    let connections = 0;
    const breaks = await tcp((socket) => {
      connections += 1;
      socket.once('data', () => socket.resetAndDestroy());
    });
    const pool = started(
      dial('breaks', { targets: [breaks], retry: { attempts: 2, backoff: { min: 1, max: 2 } } }),
    );
    await expect(pool.use(() => Promise.reject(new TypeError('mine')))).rejects.toThrow(
      new TypeError('mine'),
    );
    expect(connections).toBe(1);
    await expect(pool.use(say('once'))).rejects.toMatchObject({ code: 'unreachable' });
    expect(connections).toBe(2);
    await expect(pool.use(say('thrice'), { idempotent: true })).rejects.toMatchObject({
      code: 'unreachable',
    });
    expect(connections).toBe(5);
    const kept = await pool.use(say('x'), { otherwise: () => 'instead' });
    expect(kept).toBe('instead');
  });

  it('can be given up while they are made, and are ended by close', async () => {
    const pool = dial('nowhere', {
      targets: ['127.0.0.1:1'],
      retry: { attempts: 100, backoff: { min: 60_000, max: 60_000 } },
    });
    const abort = new AbortController();
    const given = pool.connect(abort.signal);
    await new Promise<void>((resolve) => pool.on('retry', () => resolve()));
    abort.abort();
    await expect(given).rejects.toMatchObject({ code: 'aborted' });
    const closed = pool.connect();
    await new Promise<void>((resolve) => pool.on('retry', () => resolve()));
    await pool.close();
    await expect(closed).rejects.toMatchObject({ code: 'aborted' });
    await expect(pool.connect()).rejects.toMatchObject({ code: 'aborted' });
  });
});

describe('HTTP', () => {
  it('is asked again only where that is safe, and a body that was sent is not sent twice', async () => {
    const methods: string[] = [];
    const address = await http((request, response) => {
      methods.push(request.method!);
      if (request.method === 'POST') request.socket.resetAndDestroy();
      else response.writeHead(503).end();
    });
    const dead = await tcp(() => {});
    const retry = { attempts: 2, backoff: { min: 1, max: 2 } };
    const pool = started(dial('api', { targets: [address], retry, breaker: { failures: 0 } }));
    await expect(pool.fetch('/', { method: 'POST', body: 'x' })).rejects.toMatchObject({
      code: 'unreachable',
    });
    expect(methods).toEqual(['POST']);
    expect((await pool.fetch('/')).status).toBe(503);
    expect(methods).toEqual(['POST', 'GET', 'GET', 'GET']);
    expect(dead).toBeTruthy();
    await expect(pool.fetch('http://elsewhere/')).rejects.toMatchObject({ code: 'usage' });
  });

  it('serves undici itself, and sends a body again that it has as a whole', async () => {
    const bodies: string[] = [];
    const address = await http(async (request, response) => {
      let text = '';
      for await (const part of request) text += part;
      if (bodies.push(text) === 1) request.socket.resetAndDestroy();
      else response.end('done');
    });
    const pool = started(dial('api', { targets: [address], retry: { backoff: { min: 1, max: 2 } } }));
    const { request } = await import('undici');
    const put = { dispatcher: pool.dispatcher, method: 'PUT', body: 'words' } as const;
    expect(await (await request('http://api/', put)).body.text()).toBe('done');
    expect(bodies).toEqual(['words', 'words']);
  });

  it("serves Node's own fetch, with bodies both ways, and can be aborted", async () => {
    const echo = await http(async (request, response) => {
      if (request.url === '/hang') return;
      response.write(`${request.method} `);
      for await (const part of request) response.write(part);
      response.end();
    });
    const pool = started(dial('api', { targets: [echo], policy: 'least-connections' }));
    const dispatcher = pool.dispatcher as never;
    const body = 'body '.repeat(100_000);
    const init = { method: 'POST', body, dispatcher } as RequestInit;
    expect(await (await fetch('http://api/', init)).text()).toBe(`POST ${body}`);
    const hanging = fetch('http://api/hang', { dispatcher, signal: AbortSignal.timeout(100) } as RequestInit);
    await expect(hanging).rejects.toMatchObject({ name: 'TimeoutError' });
    expect(pool.targets()).toMatchObject([{ active: 0, breaker: 'closed' }]);
    expect(await (await fetch('http://api/', { dispatcher } as RequestInit)).text()).toBe('GET ');
  });

  it('gives the last good answer while none can be had, then the default, and says so', async () => {
    let fails = false;
    const address = await http((request, response) => {
      if (fails) request.socket.resetAndDestroy();
      else response.setHeader('content-type', 'text/plain').end(`answer to ${request.url}`);
    });
    const { Response } = await import('undici');
    const pool = started(
      dial('api', {
        ...{ targets: [address], retry: { attempts: 0 } },
        fallback: { ttlMs: 60_000, otherwise: () => new Response('nothing', { status: 299 }) },
      }),
    );
    expect(await (await pool.fetch('/a')).text()).toBe('answer to /a');
    fails = true;
    const told: string[] = [];
    pool.on('fallback', ({ key, from }) => told.push(`${key} ${from}`));
    const kept = await pool.fetch('/a');
    expect([kept.status, kept.headers.get('x-reeve-fallback'), await kept.text()]).toEqual([
      200,
      'cache',
      'answer to /a',
    ]);
    expect((await pool.fetch('/b')).status).toBe(299);
    expect(told).toEqual(['/a cache', '/b default']);
  });
});

describe.runIf(needs('dialling by TLS', 'openssl'))('TLS', () => {
  it('is spoken to whoever proves the name, with connections that are used again, and to nobody else', async () => {
    const authority = createAuthority();
    ended.push(() => authority.remove());
    const { cert, key } = authority.issue('server', ['api.internal']);
    const [certPem, keyPem, ca] = [cert, key, authority.ca].map((file) => readFileSync(file));
    const identity = { cert: certPem!, key: keyPem! };
    const web = await listen(createHttpsServer(identity, (_, response) => response.end('secret')) as never);
    const raw = await listen(
      createTlsServer(identity, (socket) => socket.on('data', (data) => socket.write(data))),
    );
    const tls = { ca: ca!, servername: 'api.internal' };
    const pool = started(dial('api', { targets: [web], tls }));
    expect(await (await pool.fetch('/')).text()).toBe('secret');
    const sockets = started(dial('api', { targets: [raw], tls }));
    expect(await sockets.use(say('one'))).toBe('one');
    expect(await sockets.use(say('two'))).toBe('two');
    expect(sockets.counters()).toMatchObject({ connected: 1, reused: 1 });

    const retry = { attempts: 1, backoff: { min: 1, max: 1 } };
    const stranger = started(
      dial('api', { targets: [web], retry, tls: { ...tls, servername: 'other.internal' } }),
    );
    await expect(stranger.fetch('/')).rejects.toThrow(/TLS: .*other\.internal/);
    const untrusting = started(dial('api', { targets: [raw], retry, tls: { servername: 'api.internal' } }));
    await expect(untrusting.connect()).rejects.toThrow(/no target answered .*TLS/);
    expect(() => dial('api', { targets: [raw], tls: { ca: 'no certificate', cert: 'none' } })).toThrow(
      /^tls/,
    );
  });
});

describe('a program', () => {
  it('ends by itself while connections of its pool are idle', async () => {
    const address = await http((_, response) => response.end('ok'));
    const raw = await upper();
    const library = new URL('../../dist/index.js', import.meta.url).href;
    const child = await startNode(`
      import(${JSON.stringify(library)}).then(async ({ dial }) => {
        const web = dial('web', { targets: ['${address}'] });
        const raw = dial('raw', { targets: ['${raw}'] });
        const text = await (await web.fetch('/')).text();
        await raw.use((socket) => new Promise((resolve) => {
          socket.once('data', resolve);
          socket.write('x');
        }));
        console.log(text, raw.counters().idle);
      });`);
    expect(child.line).toBe('ok 1');
    if (child.process.exitCode === null) await once(child.process, 'exit');
    expect(child.process.exitCode).toBe(0);
  });
});
