// Who has a socket open: what the kernel tells by BPF and what a walk through /proc finds are the same.
import { execFile } from 'node:child_process';
import { readdirSync, readlinkSync } from 'node:fs';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { OsError } from '../../src/core/errors.ts';
import { bpf } from '../../src/ffi/index.ts';
import { createKernelHolders } from '../../src/system/linux/bpf/index.ts';
import { createLinuxSystem } from '../../src/system/linux/index.ts';
import { bundled } from '../support/bundled.ts';
import { eventually, startNode } from '../support/children.ts';
import { needs } from '../support/parts.ts';
import { rawSocket } from '../support/raw-socket.ts';

const run = promisify(execFile);
const byKernel = createLinuxSystem({ holderSource: 'bpf' }).sockets;
const byWalk = createLinuxSystem({ holderSource: 'walk' }).sockets;

/** TCP and UDP, of both families, and a local one; some shared with a child, which has one of its own as well. */
const population = `
  const { spawn } = require('node:child_process');
  const net = require('node:net');
  const servers = Array.from({ length: 5 }, () => net.createServer().listen(0, '127.0.0.1'));
  net.createServer().listen('\\0reeve-holders-' + process.pid);
  require('node:dgram').createSocket('udp4').bind(0, '127.0.0.1');
  for (let i = 0; i < 100; i++) require('node:fs').openSync('/dev/null');
  setImmediate(() => {
    const shared = servers.slice(0, 3).map((server) => server._handle.fd);
    const script = "require('node:net').createServer().listen(0, '127.0.0.1', () => console.log('up'))";
    const child = spawn(process.execPath, ['-e', script], { stdio: ['pipe', 'pipe', 'inherit', ...shared] });
    child.stdout.once('data', () => console.log(child.pid));
    process.on('exit', () => child.kill('SIGKILL'));
  });
  process.on('SIGTERM', () => process.exit());`;

function socketsOf(pid: number): string[] {
  const folder = `/proc/${pid}/fd`;
  const links = readdirSync(folder).map((fd) => {
    try {
      return readlinkSync(`${folder}/${fd}`);
    } catch {
      return '';
    }
  });
  return links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []);
}

const sorted = (pids: ReadonlyMap<string, number[]>) =>
  [...pids].sort(([a], [b]) => Number(a) - Number(b)).map(([id, of]) => [id, of] as const);

async function bothWays(ids: ReadonlySet<string>) {
  const [kernel, walk] = [await byKernel.holders(ids), await byWalk.holders(ids)];
  expect(kernel.unreadable).toBe(0);
  expect(sorted(kernel.pids)).toEqual(sorted(walk.pids));
  return kernel.pids;
}

describe.runIf(needs('holders by BPF', 'linux', 'root', 'bpf'))('holders', () => {
  it('are the same both ways, shared sockets and all', async () => {
    const parents = await Promise.all(Array.from({ length: 4 }, () => startNode(population)));
    try {
      const pairs = parents.map(({ pid, line }) => [pid, Number(line)] as const);
      const ids = new Set(pairs.flat().flatMap(socketsOf));
      const pids = await bothWays(ids);
      expect(pids.size).toBe(ids.size);
      for (const pair of pairs) {
        const shared = [...pids.values()].filter((of) => of.join() === pair.join());
        expect(shared.length).toBeGreaterThanOrEqual(3);
      }
    } finally {
      for (const { process } of parents) process.kill('SIGTERM');
      const gone = () => parents.every(({ process }) => process.exitCode !== null);
      await eventually(gone);
    }
  });

  it.runIf(needs('holders in another network', 'ip'))('are found in other network namespaces', async () => {
    const name = `reeve-holders-${process.pid}`;
    await run('ip', ['netns', 'add', name]);
    try {
      const script = `require('node:net').createServer().listen(0, () => console.log('up'))`;
      const { pid } = await startNode(script, { prefix: ['ip', 'netns', 'exec', name] });
      const { rows } = await byKernel.table({ listening: true, allNamespaces: true });
      const foreign = new Set(rows.flatMap(({ namespace, id }) => (namespace && id ? [id] : [])));
      const own = [...(await bothWays(foreign))].filter(([, pids]) => pids.includes(pid));
      expect(own).toHaveLength(1);
    } finally {
      await run('ip', ['netns', 'del', name]);
    }
  });

  it('are looked up among many more sockets than were asked for', async () => {
    const sockets = Array.from({ length: 3000 }, () => rawSocket('127.0.0.1', { protocol: 'udp' }));
    try {
      const { rows } = await byKernel.table({ protocols: ['udp'] });
      const ports = new Set(sockets.map(({ port }) => port));
      const all = rows.filter(({ port, id }) => id !== null && ports.has(port));
      const pids = await bothWays(new Set(all.map(({ id }) => id!)));
      expect([...pids.values()].filter((of) => of.includes(process.pid))).toHaveLength(3000);
      expect([...(await bothWays(new Set([all[7]!.id!]))).values()]).toEqual([[process.pid]]);
    } finally {
      for (const socket of sockets) socket.close();
    }
  });

  it('of a thread with descriptors of its own are told of its process', async () => {
    const script = await bundled(new URL('../fixtures/linux/own-descriptors.ts', import.meta.url));
    const { stdout } = await run(process.execPath, [script], { timeout: 20_000 });
    expect(JSON.parse(stdout)).toEqual(['own']);
  });

  it('are the same where the machine has so many files that another thread reads', async () => {
    const script = `require('node:net').createServer().listen(0, () => console.log('up'))`;
    const own = new Set(socketsOf((await startNode(script)).pid));
    const [here, aside] = [() => 0, () => 1e9].map((files) => createKernelHolders(bpf, files));
    expect(await aside!(own)).toEqual(await here!(own));
    expect((await aside!(own))!.size).toBe(own.size);
  });

  it('leave no descriptor open, however often they are asked for', async () => {
    const before = readdirSync('/proc/self/fd').length;
    const ask = createKernelHolders();
    for (let i = 0; i < 20; i++) expect(await ask(new Set(['1']))).toEqual(new Map());
    expect(readdirSync('/proc/self/fd').length).toBe(before);
  });
});

describe.runIf(needs('the way without BPF', 'linux'))('where the kernel does not tell', () => {
  const refused = (nth: number) => {
    let calls = 0;
    const call: typeof bpf = (command, attributes) => {
      calls += 1;
      if (calls >= nth) throw new OsError('EPERM', 1, 'bpf');
      return bpf(command, attributes);
    };
    return { call, calls: () => calls };
  };

  it('nothing is asked again, and nothing is left open', async () => {
    const before = readdirSync('/proc/self/fd').length;
    const { call, calls } = refused(1);
    const ask = createKernelHolders(call);
    expect(await ask(new Set(['1']))).toBeNull();
    expect(await ask(new Set(['1']))).toBeNull();
    expect(calls()).toBeLessThanOrEqual(1);
    expect(readdirSync('/proc/self/fd').length).toBe(before);
  });

  it.runIf(needs('each refusal of BPF', 'root', 'bpf'))(
    'each step may be the one that is refused',
    async () => {
      for (const step of [2, 3, 4, 5, 6]) {
        const before = readdirSync('/proc/self/fd').length;
        expect(await createKernelHolders(refused(step).call)(new Set(['1']))).toBeNull();
        expect(readdirSync('/proc/self/fd').length).toBe(before);
      }
    },
  );

  it.runIf(needs('PIDs of another namespace', 'root'))(
    'in a PID namespace its own PIDs are told',
    async () => {
      const script = await bundled(new URL('../fixtures/linux/own-pids.ts', import.meta.url));
      const args = ['--pid', '--fork', '--mount-proc', process.execPath, script];
      const { stdout } = await run('unshare', args, { timeout: 20_000 });
      expect(JSON.parse(stdout)).toEqual({ pids: [1], unreadable: 0, forced: 'unsupported' });
    },
  );
});
