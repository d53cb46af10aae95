// A daemon whose services are announced in a real Consul, and whose listener follows a service there.
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { createAuthority } from '../support/authority.ts';
import { eventually } from '../support/children.ts';
import { type ConsulAgent, startConsul } from '../support/consul.ts';
import { needs } from '../support/parts.ts';
import { addressOf, appService, ask, askJson, house, start } from './daemon-support.ts';

interface HealthRow {
  Service: { ID: string; Port: number; Tags: string[] };
  Checks: { CheckID: string; Status: string; Output: string }[];
}

describe.runIf(needs('a daemon with Consul', 'consul', 'linux'))('a daemon with Consul', () => {
  let consul: ConsulAgent;
  beforeEach(async () => {
    consul = await startConsul();
    return () => consul[Symbol.asyncDispose]();
  });
  const registry = () => `registry: { consul: { address: "${consul.address}" } }`;
  const health = (query = '') => consul.api<HealthRow[]>(`/v1/health/service/app${query}`);
  const passing = async () => (await health('?passing=1')).map(({ Service }) => Service.Port).sort();

  it('announces the instances that are up, says why one is not, and leaves nothing behind', async () => {
    const daemon = await start(
      house(`${registry()}
services:${appService}    register: { tags: [v1], meta: { team: core } }`),
    );
    const ports = () => daemon.status().services[0]!.instances.map((one) => one.ports.http!);
    await eventually(async () => (await passing()).join() === ports().sort().join());
    expect((await health())[0]!.Service).toMatchObject({ Tags: ['v1'], Meta: { team: 'core' } });
    expect(daemon.status().registry).toMatchObject({ kind: 'consul', state: 'ok', detail: null });
    expect(await askJson(daemon.address, '/api/v1/registry/services/app')).toMatchObject({
      instances: [{ standing: 'pass' }, { standing: 'pass' }],
    });
    const metrics = (await ask(daemon.address, '/metrics')).text;
    expect(metrics).toContain('portreeve_registry_up{kind="consul"} 1');
    expect(metrics).toContain('portreeve_registry_announced{service="app",standing="pass"} 2');

    const [first] = daemon.status().services[0]!.instances;
    const states = new Set<string>();
    const watching = setInterval(async () => {
      for (const { Checks } of (await health().catch(() => [])) ?? [])
        for (const { Status, Output } of Checks) if (Status !== 'passing') states.add(`${Status} ${Output}`);
    }, 5);
    process.kill(first!.pid!, 'SIGKILL');
    await eventually(() => [...states].some((said) => /^critical backoff: killed by SIGKILL/.test(said)));
    clearInterval(watching);
    await eventually(async () => (await passing()).length === 2);
    await daemon.drainAndStop();
    expect(await consul.api('/v1/catalog/services')).toEqual({ consul: [] });
  });

  it('follows a service of the registry, live, and serves on while Consul is away', async () => {
    const servers = await Promise.all(
      ['one', 'two'].map(async (name) => {
        const server = createServer((_, response) => response.setHeader('connection', 'close').end(name));
        await once(server.listen(0, '127.0.0.1'), 'listening');
        return { name, server, port: (server.address() as AddressInfo).port };
      }),
    );
    const register = (name: string) =>
      consul.api('/v1/agent/service/register', {
        method: 'PUT',
        body: {
          ...{ ID: name, Name: 'backend', Address: '127.0.0.1' },
          Port: servers.find((each) => each.name === name)!.port,
          Check: { CheckID: `c-${name}`, TTL: '10m', Status: 'passing' },
        },
      });
    const daemon = await start(
      house(`${registry()}
listeners: { web: { bind: ["127.0.0.1:0"], balance: { service: backend, retries: 1 } } }`),
    );
    const targets = () =>
      daemon
        .status()
        .listeners[0]!.targets.map(({ instance }) => instance)
        .sort();
    const answer = async () => (await ask(addressOf(daemon, 'web'), '/')).text;
    expect(targets()).toEqual([]);
    await register('one');
    await eventually(() => targets().join() === 'one');
    expect(await answer()).toBe('one');
    await register('two');
    await eventually(() => targets().join() === 'one,two');
    expect(new Set([await answer(), await answer()])).toEqual(new Set(['one', 'two']));
    await consul.api('/v1/agent/check/fail/c-one', { method: 'PUT' });
    await eventually(() => targets().join() === 'two');
    expect(await answer()).toBe('two');

    await consul.kill();
    await eventually(() => daemon.status().registry.watches[0]!.stale !== null);
    expect(daemon.status().registry.state).toBe('away');
    expect(targets()).toEqual(['two']);
    expect(await answer()).toBe('two');
    for (const { server } of servers) server.close();
  });

  it('says so where Consul hangs, serves on, and is in step again when it goes on', async () => {
    const daemon = await start(
      house(`${registry()}
services:${appService}    register: {}
listeners: { web: { bind: ["127.0.0.1:0"], balance: { service: app, from: registry } } }`),
    );
    const targets = () => daemon.status().listeners[0]!.targets.length;
    await eventually(() => targets() === 2);
    const pids = daemon.status().services[0]!.instances.map(({ pid }) => String(pid));
    consul.signal('SIGSTOP');
    await eventually(() => daemon.status().registry.state === 'away', 30_000);
    expect(daemon.status().registry.detail).toContain('did not answer');
    expect(targets()).toBe(2);
    expect(pids).toContain((await ask(addressOf(daemon, 'web'), '/')).text);
    consul.signal('SIGCONT');
    await eventually(() => daemon.status().registry.state === 'ok', 30_000);
    await eventually(async () => (await passing()).length === 2);
    expect(targets()).toBe(2);
    expect(daemon.status().services[0]!.restarts).toMatchObject({ 'failed-check': 0 });
  });

  it('leases its ports from the pool in Consul, and gives them back', async () => {
    const config = house(`${registry()}
services:${appService}`);
    writeFileSync(
      config.file,
      readFileSync(config.file, 'utf8').replace('ports: {', 'ports: { leases: registry,'),
    );
    const daemon = await start(config);
    const ports = daemon.status().services[0]!.instances.map(({ ports }) => ports.http!);
    const keys = () =>
      consul.api<{ Key: string; Session?: string; Value: string }[]>('/v1/kv/portreeve/ports?recurse');
    const locked = async () => (await keys()).filter(({ Session }) => Session).map(({ Key }) => Key);
    expect(await locked()).toEqual(ports.sort().map((port) => `portreeve/ports/${port}`));
    const [first] = (await keys()).filter(({ Session }) => Session);
    expect(JSON.parse(Buffer.from(first!.Value, 'base64').toString())).toMatchObject({
      name: expect.stringMatching(/^service\/app\/[01]\/http@/),
    });
    await daemon.drainAndStop();
    expect(await locked()).toEqual([]);
    expect(await consul.api('/v1/session/list')).toEqual([]);
  });

  it.runIf(needs('Consul over https', 'openssl'))('speaks https, and shows its own certificate', async () => {
    const authority = createAuthority();
    onTestFinished(authority.remove);
    const own = authority.issue('client', ['reeve']);
    const secured = await startConsul({
      tls: { ca: authority.ca, ...authority.issue('consul', ['localhost']) },
    });
    onTestFinished(() => secured[Symbol.asyncDispose]());
    const over = (more: string) =>
      `registry: { consul: { address: "${secured.secure}", ca: "${authority.ca}"${more} } }
services:${appService}    register: {}
`;
    const place = house(over(`, cert: "${own.cert}", key: "${own.key}"`));
    const daemon = await start(place);
    await eventually(
      async () => (await secured.api<unknown[]>('/v1/health/service/app?passing=1')).length === 2,
    );
    expect(daemon.status().registry).toMatchObject({ state: 'ok' });
    await daemon.drainAndStop();

    place.write(over(''));
    const refused = await start(place);
    await eventually(() => refused.status().registry.state === 'away');
    expect(refused.status().registry.detail).toMatch(/alert bad certificate|certificate required/);
  });

  it('finds its own services without Consul too', async () => {
    const daemon = await start(
      house(`
services:${appService}
listeners: { web: { bind: ["127.0.0.1:0"], balance: { service: app, from: registry } } }`),
    );
    await eventually(() => daemon.status().listeners[0]!.targets.length === 2);
    const pids = daemon.status().services[0]!.instances.map(({ pid }) => String(pid));
    expect(pids).toContain((await ask(addressOf(daemon, 'web'), '/')).text);
    expect(await askJson(daemon.address, '/api/v1/registry/services')).toEqual({
      services: [{ service: 'app', tags: [] }],
    });
  });
});
