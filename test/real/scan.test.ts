// scan, on loopback: exactly the ports that listen, and never one that the scan itself made answer.
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { scanSchema } from '../../src/core/records.ts';
import { scan } from '../../src/ports/index.ts';
import { selectSystem } from '../../src/system/select.ts';
import { eventually } from '../support/children.ts';
import { needs } from '../support/parts.ts';
import { reeve, reeveJson } from '../support/reeve.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function listen(count: number): Promise<number[]> {
  const started = Array.from({ length: count }, () => createServer((socket) => socket.on('error', () => {})));
  servers.push(...started);
  await Promise.all(started.map((server) => once(server.listen(0, '127.0.0.1'), 'listening')));
  return started.map((server) => (server.address() as AddressInfo).port).sort((a, b) => a - b);
}

const never = new AbortController().signal;

describe.runIf(needs('scan of the whole ephemeral range', 'linux'))('scan', () => {
  it('finds the listeners of the ephemeral range and no port that answered itself', async () => {
    const ports = await listen(40);
    const system = await selectSystem();
    const facts = await system.host.facts();
    const { rows } = await system.sockets.table({ protocols: ['tcp'], listening: true });
    const reachable = rows
      .filter(({ address }) => ['127.0.0.1', '0.0.0.0', '::'].includes(address))
      .map(({ port }) => port);
    const range = facts.ephemeral!;
    const options = { ports: [range], timeoutMs: 2000, concurrency: 1000 };
    const record = await scan(system, '127.0.0.1', options, never);
    const found = record.open.map(({ port }) => port);
    // Other tests listen on the same machine: ours are all there, and whatever else is found listens too.
    expect(found).toEqual(expect.arrayContaining(ports));
    const strangers = found.filter((port) => !ports.includes(port) && !reachable.includes(port));
    const after = await system.sockets.table({ protocols: ['tcp'], listening: true });
    expect(strangers.filter((port) => !after.rows.some((row) => row.port === port))).toEqual([]);
    expect(record.counts.open + record.counts.closed + record.counts.filtered).toBe(
      range.last - range.first + 1,
    );
  });

  it('scans a closed port that is its own source port again and again, and never finds it open', async () => {
    // Each connect may get the scanned port as its source: over so many tries some do.
    const { default: net } = await import('node:net');
    const probe = net.createServer().listen(0, '127.0.0.1');
    await once(probe, 'listening');
    const { port } = probe.address() as AddressInfo;
    probe.close();
    await once(probe, 'close');
    const system = await selectSystem();
    for (let round = 0; round < 20; round++) {
      const options = { ports: [{ first: port - 50, last: port + 50 }], timeoutMs: 1000, concurrency: 101 };
      const { open } = await scan(system, '127.0.0.1', options, never);
      expect(open.map((each) => each.port)).not.toContain(port);
    }
  });

  it('lends the event loop to others while it scans everything', async () => {
    const system = await selectSystem();
    let turns = 0;
    const turn = () => {
      turns += 1;
      next = setImmediate(turn);
    };
    let next = setImmediate(turn);
    const { ms } = await scan(system, '127.0.0.1', { ports: [{ first: 1, last: 65_535 }] }, never);
    clearImmediate(next);
    // One turn for every fifty milliseconds at the least.
    expect(turns).toBeGreaterThan(ms / 50);
  });

  it('ends early when it is cancelled, with what it knows', async () => {
    const system = await selectSystem();
    const abort = new AbortController();
    const options = {
      ports: [{ first: 1, last: 65_535 }],
      timeoutMs: 1000,
      concurrency: 64,
      onProgress: (done: number) => {
        if (done === 500) abort.abort();
      },
    };
    const { counts } = await scan(system, '127.0.0.1', options, abort.signal);
    const seen = counts.open + counts.closed + counts.filtered;
    expect(seen).toBeGreaterThanOrEqual(500);
    expect(seen).toBeLessThan(65_535);
  });

  it.each(['connect', 'syn', 'udp'] as const)(
    'leaves no descriptor behind after a %s scan, cut short or not',
    async (method) => {
      if (method === 'syn' && !needs('descriptors of SYN scans', 'root')) return;
      const system = await selectSystem();
      const descriptors = () => readdirSync('/proc/self/fd').length;
      const run = async (cut: boolean) => {
        const abort = new AbortController();
        const onProgress = (done: number) => void (cut && done === 20 && abort.abort());
        const options = {
          ports: [{ first: 1, last: 200 }],
          method,
          onProgress,
          rate: { count: 2000, perMs: 1000 },
        };
        const { counts } = await scan(system, '127.0.0.1', options, abort.signal);
        return counts.open + counts.closed + counts.filtered;
      };
      // The first one loads what stays loaded.
      await run(false);
      const before = descriptors();
      for (let i = 0; i < 5; i++) {
        expect(await run(true)).toBeLessThan(200);
        expect(await run(false)).toBe(200);
      }
      await eventually(() => descriptors() <= before);
    },
  );

  it('is a command: JSON, exclusions, names, exit codes', async () => {
    const [a, b] = (await listen(2)) as [number, number];
    const both = ['-p', `${a},${b}`];
    const record = scanSchema.parse(await reeveJson(['scan', 'localhost', ...both]));
    expect(record.open.map(({ port }) => port)).toEqual([a, b]);
    const one = await reeve(['scan', '127.0.0.1', ...both, '--exclude', String(a)]);
    expect(one).toMatchObject({ code: 0, stdout: expect.stringContaining(String(b)) });
    expect(one.stdout).not.toContain(String(a));
    for (const server of servers.splice(0)) server.close();
    expect((await reeve(['scan', '127.0.0.1', ...both])).code).toBe(1);
    expect(await reeve(['scan', 'no-such-host.invalid'])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('does not resolve'),
    });
    expect(await reeve(['scan', '127.0.0.1', '--method', 'xmas'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('connect, syn, udp'),
    });
    expect(await reeve(['scan', '127.0.0.1', '-p', '5-4'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('4-5'),
    });
  });
});
