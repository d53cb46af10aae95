// The registry against a real Consul agent; what it says is compared with the agent's own catalog, health and CLI.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Context, type ReeveEvent, silentLog, systemClock } from '../../src/core/context.ts';
import {
  type Announcement,
  type ConsulRegistryOptions,
  createConsulRegistry,
  type Found,
  type Registry,
} from '../../src/registry/index.ts';
import { eventually } from '../support/children.ts';
import { type ConsulAgent, startConsul } from '../support/consul.ts';
import { needs } from '../support/parts.ts';

const never = new AbortController().signal;

interface HealthRow {
  Service: { ID: string; Port: number; Tags: string[]; Meta: Record<string, string>; Address: string };
  Checks: { CheckID: string; Status: string; Output: string; ModifyIndex: number; Type: string }[];
}

describe.runIf(needs('the registry in Consul', 'consul'))('the registry in Consul', () => {
  let consul: ConsulAgent;
  const registries: Registry[] = [];
  const events: ReeveEvent[] = [];
  const context: Context = {
    ...{ clock: systemClock, random: Math.random, log: silentLog },
    emit: (event) => void events.push(event),
  };

  beforeEach(async () => {
    consul = await startConsul();
  });
  afterEach(async () => {
    await Promise.all(registries.splice(0).map((each) => each.close()));
    await consul[Symbol.asyncDispose]();
    events.length = 0;
  });

  function open(more: Partial<ConsulRegistryOptions> = {}): Registry {
    const registry = createConsulRegistry({ address: consul.address, ...more }, context);
    registries.push(registry);
    return registry;
  }
  const announcement = (id: string, more: Partial<Announcement> = {}): Announcement => ({
    ...{ service: 'api', id, address: null, port: 8080, ports: { http: 8080, grpc: 9090 } },
    ...{ tags: ['v1'], meta: { team: 'core' }, check: null, ...more },
  });
  const health = (query = '') => consul.api<HealthRow[]>(`/v1/health/service/api${query}`);
  const own = (row: HealthRow) => row.Checks.find(({ CheckID }) => CheckID.startsWith('service:'))!;
  const passing = async () => (await health('?passing=1')).map(({ Service }) => Service.ID).sort();
  const inStep = (registry: Registry) =>
    eventually(() => registry.status().announced.every((each) => each.inStep));

  it('announces what there is, in the words of the catalog', async () => {
    const registry = open();
    registry.announce(announcement('api-1', { address: '127.0.0.9' })).report('pass', '200 in 3 ms');
    await inStep(registry);
    const [row] = await health();
    expect(row!.Service).toMatchObject({
      ...{ ID: 'api-1', Port: 8080, Tags: ['v1'], Address: '127.0.0.9' },
      Meta: { team: 'core', 'port-http': '8080', 'port-grpc': '9090' },
    });
    expect(own(row!)).toMatchObject({ Status: 'passing', Output: '200 in 3 ms', Type: 'ttl' });
    expect(await consul.cli('catalog', 'services', '-tags')).toMatch(/^api\s+v1$/m);
    expect(await registry.find({ service: 'api' }, never)).toMatchObject([
      {
        ...{ id: 'api-1', host: '127.0.0.9', port: 8080, ports: { http: 8080, grpc: 9090 } },
        ...{ tags: ['v1'], standing: 'pass', reason: '200 in 3 ms', datacenter: 'dc1' },
      },
    ]);
    expect(await registry.services(never)).toContainEqual({ service: 'api', tags: ['v1'] });
  });

  it('takes the unhealthy out with the reason, brings it back, and leaves nothing at the end', async () => {
    const registry = open();
    const one = registry.announce(announcement('api-1'));
    one.report('pass', 'fine');
    registry.announce(announcement('api-2', { port: 8081 })).report('pass', 'fine');
    await inStep(registry);
    expect(await passing()).toEqual(['api-1', 'api-2']);
    one.report('fail', '3 of 3 probes failed, last: refused');
    await inStep(registry);
    expect(await passing()).toEqual(['api-2']);
    const [failed] = (await health()).filter(({ Service }) => Service.ID === 'api-1');
    expect(own(failed!)).toMatchObject({
      Status: 'critical',
      Output: '3 of 3 probes failed, last: refused',
    });
    one.report('warn', 'being stopped');
    await inStep(registry);
    expect(await passing()).toEqual(['api-2']);
    one.report('pass', 'fine again');
    await inStep(registry);
    expect(await passing()).toEqual(['api-1', 'api-2']);
    await one.withdraw();
    expect((await health()).map(({ Service }) => Service.ID)).toEqual(['api-2']);
    await registry.close();
    expect(await health()).toEqual([]);
    expect(await consul.api('/v1/catalog/services')).toEqual({ consul: [] });
  });

  it('lets Consul look by itself where it shall', async () => {
    const registry = open();
    const check = { url: `${consul.address}/v1/status/leader`, intervalMs: 1000, timeoutMs: 500 };
    registry.announce(announcement('api-1', { check }));
    registry.announce(announcement('api-2', { check: { ...check, url: 'tcp://127.0.0.1:1' } }));
    await eventually(async () => {
      const rows = await health();
      const by = Object.fromEntries(rows.map((row) => [row.Service.ID, own(row)]));
      return by['api-1']?.Output.includes('200 OK') && by['api-2']?.Status === 'critical';
    });
    expect(await passing()).toEqual(['api-1']);
  });

  it('finds what is passing, by tag, and follows it', async () => {
    const [here, there] = [open(), open()];
    const seen: Found[] = [];
    const watch = there.watch({ service: 'api', tags: ['v2'], near: '_agent' }, (found) => seen.push(found));
    const ids = () =>
      watch.found.instances
        .map(({ id }) => id)
        .sort()
        .join();
    await eventually(() => watch.found.asOf !== null);
    expect(watch.found).toMatchObject({ instances: [], stale: null });
    const two = here.announce(announcement('api-2', { tags: ['v2'] }));
    two.report('pass', 'fine');
    here.announce(announcement('api-1', { tags: ['v1'], port: 8081 })).report('pass', 'fine');
    await eventually(() => ids() === 'api-2');
    two.report('fail', 'gone');
    await eventually(() => ids() === '');
    two.report('pass', 'here');
    await eventually(() => ids() === 'api-2');
    await expect(there.find({ service: 'api', datacenter: 'nowhere' }, never)).rejects.toMatchObject({
      code: 'unreachable',
    });
    const count = seen.length;
    watch.close();
    two.report('fail', 'gone');
    await inStep(here);
    expect(seen).toHaveLength(count);
  });

  it('comes back by itself, passing at once, when somebody has taken it out or the agent has forgotten', async () => {
    const registry = open();
    const watch = registry.watch({ service: 'api' }, () => {});
    registry.announce(announcement('api-1')).report('pass', 'fine');
    await inStep(registry);
    await eventually(() => watch.found.instances.length === 1);
    await consul.cli('services', 'deregister', '-id=api-1');
    await eventually(async () => (await passing()).length === 1, 15_000);

    await consul.kill();
    await eventually(() => registry.status().state === 'away');
    await eventually(() => watch.found.stale !== null);
    // The last good list is kept.
    expect(watch.found.instances).toHaveLength(1);
    let lost = 0;
    const other = setInterval(() => {
      lost += watch.found.instances.length === 0 ? 1 : 0;
    }, 5);
    await consul.start();
    // A -dev agent knows nothing any more.
    await eventually(async () => (await passing()).length === 1, 45_000);
    await eventually(() => registry.status().state === 'ok' && watch.found.stale === null, 45_000);
    clearInterval(other);
    expect(watch.found.instances).toHaveLength(1);
    expect(lost).toBe(0);
    expect(events.map(({ detail }) => detail.state)).toEqual(['ok', 'away', 'ok']);
  });

  it('takes out what a crash of the same announcer has left, and nothing else', async () => {
    const first = open({ owner: 'me' });
    first.announce(announcement('old')).report('pass', 'fine');
    await inStep(first);
    open({ owner: 'other' }).announce(announcement('others')).report('pass', 'fine');
    const second = open({ owner: 'me' });
    second.announce(announcement('new')).report('pass', 'fine');
    await eventually(async () => (await passing()).join() === 'new,others');
  });
});

describe.runIf(needs('the registry in a Consul with ACLs', 'consul'))('a Consul with ACLs', () => {
  it('refuses a wrong token, which is said, and takes a right one from the file as soon as it is there', async () => {
    const { mkdtempSync, rmSync, writeFileSync } = await import('node:fs');
    const path = await import('node:path');
    const { tmpdir } = await import('node:os');
    const token = '5f1d6c1e-2b5c-4e0a-9a51-000000000001';
    const acl = { enabled: true, default_policy: 'deny', tokens: { master: token } };
    await using consul = await startConsul({ token, config: { acl, primary_datacenter: 'dc1' } });
    const folder = mkdtempSync(path.join(tmpdir(), 'reeve-token-'));
    const tokenFile = path.join(folder, 'token');
    writeFileSync(tokenFile, '5f1d6c1e-2b5c-4e0a-9a51-00000000beef\n');
    const context: Context = { clock: systemClock, random: Math.random, log: silentLog, emit: () => {} };
    const registry = createConsulRegistry({ address: consul.address, tokenFile }, context);
    try {
      registry
        .announce({
          ...{ service: 'api', id: 'api-1', address: null, port: 1, ports: {}, tags: [], meta: {} },
          check: null,
        })
        .report('pass', 'fine');
      await eventually(() => registry.status().state === 'refused', 20_000);
      expect(registry.status().detail).toMatch(/refuses/);
      writeFileSync(tokenFile, `${token}\n`);
      await eventually(() => registry.status().state === 'ok', 40_000);
      expect(await consul.api<unknown[]>('/v1/health/service/api?passing=1')).toHaveLength(1);
    } finally {
      await registry.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
