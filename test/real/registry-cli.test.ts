// The registry as users meet it: reeve services, announce and doctor, and the library; beside Consul's own word.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { announce, discover, type Found, follow } from '../../src/index.ts';
import type { FoundInstance } from '../../src/registry/index.ts';
import { eventually } from '../support/children.ts';
import { type ConsulAgent, startConsul } from '../support/consul.ts';
import { needs } from '../support/parts.ts';
import { reeve, reeveJson, startReeve } from '../support/reeve.ts';

interface HealthRow {
  Node: { Address: string };
  Service: { ID: string; Port: number; Address: string; Tags: string[]; Meta: Record<string, string> };
}

describe.runIf(needs('the registry of the command line', 'consul', 'linux'))('the command line', () => {
  let consul: ConsulAgent;
  let options: { env: NodeJS.ProcessEnv };
  const ended: (() => unknown)[] = [];
  beforeEach(async () => {
    consul = await startConsul();
    options = { env: { ...process.env, REEVE_REGISTRY: consul.address } };
  });
  afterEach(async () => {
    for (const end of ended.splice(0)) await end();
    await consul[Symbol.asyncDispose]();
  });
  const passing = () => consul.api<HealthRow[]>('/v1/health/service/web?passing=1');

  async function server(): Promise<number> {
    const listening = createServer((_, response) => response.end('ok')).listen(0, '127.0.0.1');
    await once(listening, 'listening');
    ended.push(() => listening.close());
    return (listening.address() as AddressInfo).port;
  }

  it('announces until it is told to stop, and shows what Consul shows', async () => {
    const port = await server();
    const words = ['--port', String(port), '--tag', 'v1', '--meta', 'team=core', '--address', '127.0.0.1'];
    const child = startReeve(['announce', 'web', ...words, '--check', `http://127.0.0.1:${port}/`], options);
    ended.push(() => child.kill('SIGKILL'));
    const [row] = await eventually(async () => ((await passing()).length > 0 ? passing() : null));
    expect(row!.Service).toMatchObject({ Port: port, Tags: ['v1'], Meta: { team: 'core' } });

    const { services } = await reeveJson<{ services: unknown[] }>(['services'], options);
    const catalog = await consul.api<Record<string, string[]>>('/v1/catalog/services');
    expect(services).toEqual(Object.entries(catalog).map(([service, tags]) => ({ service, tags })));
    const { instances } = await reeveJson<{ instances: FoundInstance[] }>(['services', 'web'], options);
    expect(instances.map(({ id, host, tags }) => ({ id, host, tags }))).toEqual(
      (await passing()).map(({ Service: is }) => ({ id: is.ID, host: is.Address, tags: is.Tags })),
    );
    const table = await reeve(['services', 'web', '--tag', 'v1'], options);
    expect(table).toMatchObject({ code: 0, stdout: expect.stringContaining(`127.0.0.1:${port}  pass`) });
    expect(await reeve(['services', 'web', '--tag', 'v2'], options)).toMatchObject({ code: 1 });

    child.kill('SIGTERM');
    expect((await once(child, 'exit'))[0]).toBe(0);
    expect(await consul.api('/v1/catalog/services')).toEqual({ consul: [] });
  });

  it('connects to an instance by the name that it was announced by', async () => {
    const port = await server();
    const child = startReeve(['announce', 'web', '--port', String(port), '--address', '127.0.0.1'], options);
    ended.push(() => child.kill('SIGKILL'));
    await eventually(async () => (await passing()).length > 0);
    const dialling = startReeve(['dial', 'web'], { ...options, stdio: ['pipe', 'pipe', 'pipe'] });
    ended.push(() => dialling.kill('SIGKILL'));
    let [said, told] = ['', ''];
    dialling.stdout!.on('data', (part) => {
      said += part;
    });
    dialling.stderr!.on('data', (part) => {
      told += part;
    });
    dialling.stdin!.end('GET / HTTP/1.0\r\n\r\n');
    expect((await once(dialling, 'close'))[0]).toBe(0);
    expect(said).toMatch(/^HTTP\/1\.1 200 OK\r\n(.|\r\n)*\r\n\r\nok$/);
    expect(told).toContain(`connected to 127.0.0.1:${port} (web)`);
    expect(await reeve(['dial', 'nobody'], options)).toMatchObject({
      ...{ code: 1, stderr: expect.stringContaining('nobody has no target') },
    });
  });

  it('announces while a command runs, passing while it listens, and ends with its code', async () => {
    const port = await server();
    const free = createServer().listen(0, '127.0.0.1');
    await once(free, 'listening');
    const own = (free.address() as AddressInfo).port;
    await once(free.close(), 'close');
    const script = `
      const server = require('node:http').createServer().listen(${own}, '127.0.0.1');
      process.on('SIGTERM', () => process.exit(7));`;
    const child = startReeve(
      ['announce', 'web', '--port', String(own), '--', process.execPath, '-e', script],
      options,
    );
    ended.push(() => child.kill('SIGKILL'));
    await eventually(async () => (await passing()).some(({ Service }) => Service.Port === own));
    child.kill('SIGTERM');
    expect((await once(child, 'exit'))[0]).toBe(7);
    expect(await passing()).toEqual([]);
    expect(await reeve(['announce', 'web', '--port', String(port), '--', '/no/such'], options)).toMatchObject(
      {
        code: 127,
      },
    );
    expect(await reeve(['announce', 'a b', '--port', '1'], options)).toMatchObject({ code: 2 });
    expect(await reeve(['announce', 'a', '--port', '1', '--registry', 'ftp://x'], options)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('no address of Consul'),
    });
  });

  it('keeps leases in Consul where it is told so', async () => {
    const place = ['--registry', `${consul.address}/team`];
    const { stdout } = await reeve(['lease', 'db', ...place], options);
    const keys = await consul.api<{ Key: string; Session: string }[]>('/v1/kv/team/ports?recurse');
    const kept = keys.find(({ Session }) => Session)!;
    expect(kept.Key).toBe(`team/ports/${stdout.trim()}`);
    expect((await reeve(['lease', 'db', ...place], options)).stdout).toBe(stdout);
    const env = { ...process.env, REEVE_LEASES: `${consul.address}/team` };
    expect(await reeveJson(['leases'], { env })).toMatchObject({ leases: [{ name: 'db' }] });
    expect(await reeve(['release', 'db', ...place], options)).toMatchObject({ code: 0 });
    expect(await reeve(['leases', 'db', ...place], options)).toMatchObject({ code: 1 });
    expect(await reeve(['lease', 'db', '--ttl', '2d', ...place], options)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('at most 1d'),
    });
  });

  it('has doctor say whether Consul answers', async () => {
    expect((await reeve(['doctor'], options)).stdout).toMatch(/registry .*Consul on .* answers: 1 service/);
    await consul.kill();
    const { code, stdout } = await reeve(['doctor'], options);
    expect([code, stdout]).toEqual([1, expect.stringMatching(/registry .*does not answer/)]);
    expect(await reeve(['services'], options)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('Consul does not answer on'),
    });
  });

  it('has a library that announces, finds and follows', async () => {
    const port = await server();
    const registry = consul.address;
    const stop = new AbortController();
    const seen: Found[] = [];
    const following = (async () => {
      for await (const found of follow('web', { registry }, stop.signal)) seen.push(found);
    })();
    const own = await announce('web', { port, registry, tags: ['v1'], check: `tcp://127.0.0.1:${port}` });
    await eventually(() => seen.at(-1)?.instances.length === 1);
    expect(await discover('web', { registry, tags: ['v1'] })).toMatchObject([{ id: own.id, port }]);
    expect(own).toMatchObject({ verdict: 'up' });
    await own.withdraw();
    await eventually(() => seen.at(-1)?.instances.length === 0);
    expect(await discover('web', { registry })).toEqual([]);
    stop.abort();
    await following;
  });
});
