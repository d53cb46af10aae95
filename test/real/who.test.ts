// who, beside the system's own tools: the same sockets, the same processes.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import type { SocketRecord, WhoRecord } from '../../src/core/records.ts';
import type { WhoChange } from '../../src/ports/index.ts';
import { eventually, startNode } from '../support/children.ts';
import { needs, program } from '../support/parts.ts';
import { reeve, reeveJson, startReeve } from '../support/reeve.ts';

const wanted = fc.record({
  protocol: fc.constantFrom('tcp', 'udp'),
  host: fc.constantFrom('127.0.0.1', '0.0.0.0', '::1', '::', '127.0.0.53'),
  v6only: fc.boolean(),
  shared: fc.boolean(),
});
type Wanted = typeof wanted extends fc.Arbitrary<infer T> ? T : never;

const fixture = fileURLToPath(new URL('../fixtures/population.cjs', import.meta.url));

/** The population in two processes, shared sockets in two more each. Returns every PID, and what ends them. */
async function populate(
  population: Wanted[],
): Promise<{ pids: number[]; [Symbol.asyncDispose](): Promise<void> }> {
  const half = Math.ceil(population.length / 2);
  const children = [population.slice(0, half), population.slice(half)].map((part) =>
    spawn(process.execPath, [fixture, JSON.stringify(part)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    }),
  );
  const sharers = await Promise.all(
    children.map(async (child) => JSON.parse(String((await once(child.stdout, 'data'))[0])) as number[]),
  );
  return {
    pids: [...children.map(({ pid }) => pid!), ...sharers.flat()],
    async [Symbol.asyncDispose]() {
      for (const child of children) {
        if (child.exitCode !== null) continue;
        const gone = once(child, 'exit');
        child.kill('SIGTERM');
        await gone;
      }
    },
  };
}

/** `protocol address port pid…` of every socket that one of ours has open: what the tools must agree on. */
const line = (protocol: string, address: string, port: string | number, pids: number[]) =>
  `${protocol} ${address} ${port} ${[...new Set(pids)].sort((a, b) => a - b).join(',')}`;

const fromWho = ({ sockets }: WhoRecord, ours: Set<number>) =>
  sockets
    .filter(({ holders }) => holders.some(({ pid }) => ours.has(pid)))
    .map(({ protocol, address, port, holders }) =>
      line(
        protocol,
        address,
        port,
        holders.map(({ pid }) => pid),
      ),
    )
    .sort();

function fromSs(ours: Set<number>): string[] {
  const output = execFileSync(program('ss')!, ['-Htulnp'], { encoding: 'utf8' });
  return output
    .trim()
    .split('\n')
    .flatMap((row) => {
      const [protocol, , , , local] = row.split(/\s+/) as [string, string, string, string, string];
      const pids = [...row.matchAll(/pid=(\d+)/g)].map((match) => Number(match[1]));
      if (!pids.some((pid) => ours.has(pid))) return [];
      const colon = local.lastIndexOf(':');
      const address = local.slice(0, colon).replace(/^\[|\]$/g, '');
      // ss writes `*` for a :: that takes IPv4 too.
      return [line(protocol, address === '*' ? '::' : address, local.slice(colon + 1), pids)];
    })
    .sort();
}

/** lsof knows each process's descriptors: address:port to PIDs, without the difference that v6only makes. */
function fromLsof(ours: Set<number>): string[] {
  const lsof = (...args: string[]) =>
    execFileSync(program('lsof')!, ['-nP', ...args, '-F', 'pPnt'], { encoding: 'utf8' });
  const output = lsof('-iTCP', '-sTCP:LISTEN') + lsof('-iUDP');
  const found = new Map<string, { protocol: string; address: string; port: string; pids: number[] }>();
  let pid = 0;
  let protocol = '';
  let type = '';
  for (const field of output.trim().split('\n')) {
    if (field.startsWith('p')) pid = Number(field.slice(1));
    if (field.startsWith('t')) type = field.slice(1);
    if (field.startsWith('P')) protocol = field.slice(1).toLowerCase();
    if (!field.startsWith('n') || !ours.has(pid)) continue;
    const colon = field.lastIndexOf(':');
    const any = type === 'IPv6' ? '::' : '0.0.0.0';
    const address = field
      .slice(1, colon)
      .replace(/^\[|\]$/g, '')
      .replace('*', any);
    const port = field.slice(colon + 1);
    const key = `${protocol} ${address} ${port}`;
    const entry = found.get(key) ?? { protocol, address, port, pids: [] };
    entry.pids.push(pid);
    found.set(key, entry);
  }
  return [...found.values()]
    .map((entry) => line(entry.protocol, entry.address, entry.port, entry.pids))
    .sort();
}

describe.runIf(needs('who beside ss and lsof', 'linux', 'ipv6', 'ss', 'lsof'))(
  'who, beside ss and lsof',
  () => {
    it('finds the same sockets with the same holders, for any population', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(wanted, { minLength: 50, maxLength: 90 }), async (population) => {
          await using living = await populate(population);
          const ours = new Set(living.pids);
          const record = await reeveJson<WhoRecord>(['who']);
          const found = fromWho(record, ours);
          expect(found).toHaveLength(population.length);
          expect(found).toEqual(fromSs(ours));
          expect(found).toEqual(fromLsof(ours));
        }),
        { numRuns: 4, endOnFailure: true },
      );
    });
  },
);

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

describe.runIf(needs('who, on real processes', 'linux'))('who', () => {
  const script = `require('net').createServer().listen(0, '127.0.0.1', function () { console.log(this.address().port) });`;

  it('tells all about a holder, by port, PID and name alike', async () => {
    const child = await startNode(script, { cwd: '/' });
    const byPort = await reeveJson<WhoRecord>(['who', child.line]);
    expect(byPort.sockets).toHaveLength(1);
    const socket = byPort.sockets[0] as SocketRecord;
    expect(socket).toMatchObject({
      protocol: 'tcp',
      family: 'ipv4',
      address: '127.0.0.1',
      state: 'listen',
      hidden: null,
    });
    expect(socket.holders).toMatchObject([{ pid: child.pid, name: 'node', cwd: '/', container: null }]);
    const [holder] = socket.holders;
    expect(holder!.command).toContain('createServer');
    expect(holder!.ancestors[0]).toMatchObject({ pid: process.pid });
    expect(Math.abs(Date.parse(holder!.startedAt!) - Date.now())).toBeLessThan(120_000);
    for (const target of [`:${child.line}`, `127.0.0.1:${child.line}`, `pid:${child.pid}`]) {
      expect((await reeveJson<WhoRecord>(['who', target])).sockets).toEqual(byPort.sockets);
    }
    const byName = await reeveJson<WhoRecord>(['who', 'name:node']);
    expect(byName.sockets.map(({ port }) => port)).toContain(Number(child.line));
  });

  it('answers with exit code 1 where nobody has the port, 2 where it is none', async () => {
    const child = await startNode(script);
    expect((await reeve(['who', child.line])).code).toBe(0);
    expect(await reeve(['who', `udp:${child.line}`])).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('Nobody'),
    });
    expect(await reeve(['who', `[::1]:${child.line}`])).toMatchObject({ code: 1 });
    expect(await reeve(['who', '65536'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('not a port'),
    });
  });

  it('shows connections with --all-states only', async () => {
    const child = await startNode(
      `const server = require('net').createServer().listen(0, '127.0.0.1', () => {
         const port = server.address().port;
         require('net').connect(port, '127.0.0.1', () => console.log(port));
       });`,
    );
    expect((await reeveJson<WhoRecord>(['who', child.line])).sockets.map(({ state }) => state)).toEqual([
      'listen',
    ]);
    const all = await reeveJson<WhoRecord>(['who', child.line, '--all-states']);
    expect(all.sockets.map(({ state }) => state)).toEqual(expect.arrayContaining(['listen', 'established']));
  });

  it('prints changes as they happen, a JSON object a line, until it is interrupted', async () => {
    const watch = startReeve(['who', '--watch', '--json']);
    let text = '';
    watch.stdout!.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
    const changes = () =>
      text
        .trim()
        .split('\n')
        .filter(Boolean)
        .map((each) => JSON.parse(each) as WhoChange);
    // Until its first look it reports nothing: so listeners come until one is reported.
    const port = await eventually(async () => {
      const server = createServer();
      servers.push(server);
      await once(server.listen(0, '127.0.0.1'), 'listening');
      const ports = servers.map((each) => (each.address() as { port: number }).port);
      await new Promise((resolve) => setTimeout(resolve, 200));
      return changes().find(({ change, socket }) => change === 'opened' && ports.includes(socket.port))
        ?.socket.port;
    }, 20_000);
    expect(changes().find(({ socket }) => socket.port === port)!.socket.holders).toMatchObject([
      { pid: process.pid },
    ]);
    for (const server of servers.splice(0)) server.close();
    await eventually(() =>
      changes().some(({ change, socket }) => change === 'closed' && socket.port === port),
    );
    const gone = once(watch, 'exit');
    watch.kill('SIGINT');
    expect((await gone)[0]).toBe(0);
  });

  it('strips control characters from the names of other processes', async () => {
    const child = await startNode(`process.title = 'a\\u001b[31mb\\u202ec'; ${script}`);
    for (const args of [
      ['who', child.line],
      ['who', child.line, '--json'],
    ]) {
      const { stdout } = await reeve(args);
      expect(stdout).toContain(child.line);
      expect(stdout).not.toMatch(/[\u001b\u202e]|\\u001b|\\u202e/);
    }
  });

  it('marks sockets of other network namespaces, and shows them only when asked', async () => {
    if (!needs('other network namespaces', 'root', 'ip')) return;
    const child = await startNode(script.replace("'127.0.0.1'", "'0.0.0.0'"), { prefix: ['unshare', '-n'] });
    const pid = `pid:${child.pid}`;
    expect((await reeveJson<WhoRecord>(['who', pid])).sockets).toEqual([]);
    const all = await reeveJson<WhoRecord>(['who', pid, '--all-namespaces']);
    expect(all.sockets).toMatchObject([
      { port: Number(child.line), namespace: expect.stringMatching(/^net:\[\d+\]$/) },
    ]);
  });
});
