// Leases among many processes: never one port with two living owners, whoever is killed; and all ports come back.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type LeaseBook, openLeaseBook, ownProcess } from '../../src/leases/index.ts';
import { selectSystem } from '../../src/system/select.ts';
import type { Orders } from '../fixtures/leases/worker.ts';
import { bundled } from '../support/bundled.ts';
import { eventually } from '../support/children.ts';
import { freeRange } from '../support/free-range.ts';
import { needs } from '../support/parts.ts';
import { endOf, proveAudit, startWorker, type Worker } from './leases-support.ts';

/** `REEVE_STORM=60s` in full length. */
const storm =
  process.env.REEVE_STORM === '60s' ? { processes: 64, ms: 60_000 } : { processes: 16, ms: 8_000 };
const ttlMs = 6000;
const quarantineMs = 200;
const never = new AbortController().signal;

describe.runIf(needs('leases among processes', 'linux'))('leases among processes', () => {
  let script: string;
  let folder: string;
  let book: LeaseBook;
  const workers = new Set<Worker>();

  beforeAll(async () => {
    script = await bundled(new URL('../fixtures/leases/worker.ts', import.meta.url));
  });
  beforeEach(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'reeve-leases-'));
    const options = { system: await selectSystem(), env: {}, folder, quarantineMs, busyMs: 60_000 };
    book = await openLeaseBook({ ...options, audit: { rows: 10_000_000 } });
  });
  afterEach(async () => {
    for (const worker of workers) worker.process.kill('SIGKILL');
    await Promise.all([...workers].map(endOf));
    workers.clear();
    book.close();
    rmSync(folder, { recursive: true, force: true });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  async function start(mode: Orders['mode'], id: string, first: number, count: number): Promise<Worker> {
    const range = { first, last: first + count - 1 };
    const worker = await startWorker(script, { mode, id, folder, range, ttlMs, quarantineMs });
    workers.add(worker);
    return worker;
  }

  it('gives no port to two living owners while processes are killed at random, and every port comes back', {
    timeout: storm.ms + 120_000,
  }, async () => {
    const ports = storm.processes * 8;
    const first = await freeRange(ports);
    const killed = new Set<number>();
    let started = 0;
    const launch = async () => {
      const worker = await start('storm', `w${started++}`, first, ports);
      worker.process.send('go');
      return worker;
    };
    const running = await Promise.all(Array.from({ length: storm.processes }, launch));
    const end = performance.now() + storm.ms;
    // On a busy machine a process takes seconds to start.
    while (performance.now() < end || killed.size <= 3) {
      const victim = Math.floor(Math.random() * running.length);
      const worker = running[victim]!;
      killed.add(worker.pid);
      worker.process.kill('SIGKILL');
      expect(await endOf(worker)).toBe('SIGKILL');
      running[victim] = await launch();
    }
    const lastKill = performance.now();
    for (const { process: child } of running) child.send('stop');
    for (const worker of running) expect(await endOf(worker)).toBe(0);
    const collisions = [...workers].flatMap(({ told }) => told.filter(({ kind }) => kind === 'collision'));
    expect(collisions).toEqual([]);

    // One name that asks for all of them gets them, once the last of the dead is forgotten.
    const owner = await ownProcess(await selectSystem());
    const request = { name: 'all', owner, ttlMs, count: ports, range: { first, last: first + ports - 1 } };
    const all = await eventually(
      () => book.grant(request, never).catch(() => null),
      ttlMs + quarantineMs + 5000,
    );
    expect(all.map(({ port }) => port)).toEqual(Array.from({ length: ports }, (_, i) => first + i));
    expect(performance.now() - lastKill).toBeLessThan(ttlMs + quarantineMs + 5000);

    const { grants, reclaimed } = proveAudit(await book.audit({ limit: 10_000_000 }), killed);
    expect(killed.size).toBeGreaterThan(3);
    expect(reclaimed).toBeGreaterThan(0);
    expect(grants).toBeGreaterThan(storm.processes * 10);
  });

  it('gives twenty processes five ports each without a collision, round after round', async () => {
    const first = await freeRange(220);
    const all = await Promise.all(Array.from({ length: 20 }, (_, i) => start('ask', `w${i}`, first, 220)));
    for (let round = 0; round < 10; round++) {
      const answers = all.map((worker) => worker.next('ports'));
      for (const { process: child } of all) child.send('go');
      const ports = (await Promise.all(answers)).flatMap((answer) => answer.ports);
      expect(new Set(ports).size).toBe(100);
    }
    for (const { process: child } of all) child.send('stop');
    for (const worker of all) expect(await endOf(worker)).toBe(0);
  });
});
