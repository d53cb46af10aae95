// Dialling real servers: one that hangs, one that resets, one that works; sockets that are used again; fallbacks.
import { once } from 'node:events';
import { createServer as createHttpServer, type Server as HttpServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { Registry } from 'prom-client';
import { afterEach, describe, expect, it } from 'vitest';
import { dial } from '../../src/index.ts';
import { eventually } from '../support/children.ts';

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
