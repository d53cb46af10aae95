// Leases in a real Consul: its agent killed, its sessions ended, many processes at once, and two hosts cut apart.
import { type ChildProcess, spawn } from 'node:child_process';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type LeaseBook, openLeaseBook, ownProcess } from '../../src/leases/index.ts';
import { selectSystem } from '../../src/system/select.ts';
import type { HostOrders } from '../fixtures/leases/host.ts';
import { bundled } from '../support/bundled.ts';
import { eventually } from '../support/children.ts';
import { type ConsulAgent, startConsul } from '../support/consul.ts';
import { freeRange } from '../support/free-range.ts';
import { join, type Namespace, namespace } from '../support/namespace.ts';
import { needs } from '../support/parts.ts';
import { endOf, proveAudit, startWorker, type Worker } from './leases-support.ts';

const never = new AbortController().signal;
const ttlMs = 10_000;

describe.runIf(needs('leases in Consul', 'linux', 'consul'))('leases in Consul', () => {
  let consul: ConsulAgent;
  let first: number;
  const books: LeaseBook[] = [];
  const workers: Worker[] = [];

  beforeEach(async () => {
    consul = await startConsul({ keeps: true });
    first = await freeRange(40);
  });
  afterEach(async () => {
    for (const worker of workers) worker.process.kill('SIGKILL');
    await Promise.all(workers.splice(0).map(endOf));
    for (const book of books.splice(0)) book.close();
    await consul[Symbol.asyncDispose]();
  });

  async function open(quarantineMs = 0): Promise<LeaseBook> {
    const system = await selectSystem();
    const place = { address: consul.address, lockDelayMs: 15_000 };
    const book = await openLeaseBook({ system, env: {}, quarantineMs, consul: place });
    books.push(book);
    return book;
  }
  const request = async (name: string) => ({
    ...{ name, ttlMs, owner: await ownProcess(await selectSystem()) },
    range: { first, last: first },
  });
  const sessions = async () => (await consul.api<{ ID: string; TTL: string }[]>('/v1/session/list')) ?? [];

  it('are keys that a session has locked, as Consul itself shows them', async () => {
    const book = await open();
    const leases = await book.grant(await request('web'), never);
    const [key] = await consul.api<{ Key: string; Session: string }[]>('/v1/kv/portreeve/ports?recurse');
    expect(key!.Key).toBe(`portreeve/ports/${first}`);
    expect(await sessions()).toMatchObject([
      { ID: key!.Session, TTL: '15s', Behavior: 'release', NodeChecks: [] },
    ]);
    expect(await consul.cli('kv', 'get', `portreeve/ports/${first}`)).toContain('"name":"web"');
    await book.release(leases);
    expect(await sessions()).toEqual([]);
    const [after] = await consul.api<{ Session?: string }[]>('/v1/kv/portreeve/ports?recurse');
    expect(after!.Session).toBeUndefined();
  });

  it('outlive an agent that is killed and started again', async () => {
    const [book, other] = [await open(), await open()];
    const leases = await book.grant(await request('web'), never);
    await consul.kill();
    await expect(book.renew(leases)).rejects.toMatchObject({ code: 'unreachable' });
    await expect(other.grant(await request('else'), never)).rejects.toMatchObject({ code: 'unreachable' });
    await consul.start();
    await expect(other.grant(await request('else'), never)).rejects.toMatchObject({ code: 'conflict' });
    expect(await book.renew(leases)).toMatchObject([{ port: first, name: 'web', renewals: 1 }]);
    expect((await other.list()).map(({ name }) => name)).toEqual(['web']);
  });

  it('are lost with their session, which their holder is told, and rest for the lock delay', async () => {
    const [book, other] = [await open(), await open()];
    const leases = await book.grant(await request('web'), never);
    const [session] = await sessions();
    await consul.api(`/v1/session/destroy/${session!.ID}`, { method: 'PUT' });
    expect(await book.renew(leases)).toEqual([]);
    // Whoever asks: the old holder may not know of it yet.
    await expect(other.grant(await request('else'), never)).rejects.toMatchObject({ code: 'conflict' });
    expect(await other.list()).toEqual([]);
    expect((await other.audit()).at(-1)).toMatchObject({
      kind: 'expired',
      evidence: { why: 'its session in Consul is gone: no heartbeat came' },
    });
  });

  it('are given back by a process that exits, before it is gone', async () => {
    const [book, other] = [await open(), await open()];
    const leases = await book.grant(await request('web'), never);
    book.releaseNow(leases, {});
    expect(await other.list()).toEqual([]);
    expect(await other.grant(await request('else'), never)).toMatchObject([{ port: first }]);
    expect((await other.audit()).map(({ kind }) => kind)).toEqual(['granted', 'released', 'granted']);
  });

  it('are never given twice while processes contend and are killed at random', {
    timeout: 120_000,
  }, async () => {
    const script = await bundled(new URL('../fixtures/leases/worker.ts', import.meta.url));
    const range = { first, last: first + 39 };
    const place = { address: consul.address, lockDelayMs: 1000 };
    let started = 0;
    const launch = async () => {
      const id = `w${started++}`;
      const orders = {
        mode: 'storm',
        id,
        folder: '',
        consul: place,
        range,
        ttlMs,
        quarantineMs: 200,
      } as const;
      const worker = await startWorker(script, orders);
      workers.push(worker);
      worker.process.send('go');
      return worker;
    };
    const running = await Promise.all(Array.from({ length: 6 }, launch));
    const killed = new Set<number>();
    const end = performance.now() + 6000;
    while (performance.now() < end) {
      const victim = Math.floor(Math.random() * running.length);
      killed.add(running[victim]!.pid);
      running[victim]!.process.kill('SIGKILL');
      await endOf(running[victim]!);
      running[victim] = await launch();
    }
    for (const { process: child } of running) child.send('stop');
    for (const worker of running) expect(await endOf(worker)).toBe(0);
    expect(workers.flatMap(({ told }) => told.filter(({ kind }) => kind === 'collision'))).toEqual([]);
    const { grants } = proveAudit(await (await open()).audit(), killed);
    expect(killed.size).toBeGreaterThan(3);
    expect(grants).toBeGreaterThan(30);
  });
});

interface Told {
  kind: 'ready' | 'held' | 'lost' | 'refused';
  at: number;
}

describe.runIf(needs('leases between two hosts', 'linux', 'root', 'ip', 'consul'))('two hosts', () => {
  const started: ChildProcess[] = [];
  let script: string;
  beforeAll(async () => {
    script = await bundled(new URL('../fixtures/leases/host.ts', import.meta.url));
  });
  afterEach(() => {
    for (const child of started.splice(0)) child.kill('SIGKILL');
  });

  /** With a host name of its own: to reeve, another machine. */
  function host(where: Namespace, name: string, orders: HostOrders): Told[] {
    const told: Told[] = [];
    const [file, ...args] = [...where.prefix, 'unshare', '--uts', 'sh', '-c'];
    const run = `hostname ${name} && exec "$0" "$@"`;
    const child = spawn(file!, [...args, run, process.execPath, script, JSON.stringify(orders)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    started.push(child);
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (part: string) => {
      text += part;
      for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
        told.push(JSON.parse(text.slice(0, end)) as Told);
        text = text.slice(end + 1);
      }
    });
    return told;
  }

  it('that are cut apart never both have a port: one gives up before the other can get it', {
    timeout: 150_000,
  }, async () => {
    await using a = await namespace();
    await using b = await namespace();
    await join(a, b, ['10.77.0.1/24'], ['10.77.0.2/24']);
    await using consul = await startConsul({ prefix: b.prefix, host: '10.77.0.2' });
    const orders = { address: consul.address, port: 24_000, ttlMs, lockDelayMs: 1000 };
    const onA = host(a, 'host-a', { ...orders, mode: 'hold' });
    const find = (told: Told[], kind: Told['kind']) => told.find((each) => each.kind === kind);
    await eventually(() => find(onA, 'held'), 30_000);
    const onB = host(b, 'host-b', { ...orders, mode: 'ask' });
    await eventually(() => find(onB, 'refused'), 30_000);
    // Each host could bind the port: nothing but Consul keeps them apart.
    await b.ip('link', 'set', 'veth0', 'down');
    const lost = await eventually(() => find(onA, 'lost'), 60_000);
    const held = await eventually(() => find(onB, 'held'), 60_000);
    expect(lost.at).toBeLessThan(held.at);
  });
});
