// free, on real processes: exactly those who listen end, and the port is proven free.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { FreeRecord, FreeResult } from '../../src/core/records.ts';
import { carryOut, type FreeOptions, parsePortTarget, prepareFree } from '../../src/ports/index.ts';
import type { System } from '../../src/system/index.ts';
import { selectSystem } from '../../src/system/select.ts';
import { startNode } from '../support/children.ts';
import { needs } from '../support/parts.ts';
import { rawSocket } from '../support/raw-socket.ts';
import { nobody, publicCopy, reeve, reeveFile, reeveJson } from '../support/reeve.ts';

const never = new AbortController().signal;
const listenScript = `require('net').createServer().listen(0, '127.0.0.1', function () { console.log(this.address().port) });`;

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

describe.runIf(needs('free, on real processes', 'linux'))('free', () => {
  let system: System;
  beforeAll(async () => {
    system = await selectSystem();
  });

  async function free(targets: string[], options: FreeOptions = {}, by = system): Promise<FreeResult[]> {
    const settings = { watchMs: 200, ...options };
    const results: FreeResult[] = [];
    for (const one of await prepareFree(by, targets.map(parsePortTarget), settings)) {
      results.push(await carryOut(by, one, settings, never));
    }
    return results;
  }

  const isAlive = async (pid: number) =>
    (await system.processes.facts(pid)) !== null && !(await hasEnded(pid));
  const hasEnded = async (pid: number) => {
    const identity = await system.processes.identify(pid);
    if (!identity) return true;
    return system.processes.exited(identity, AbortSignal.timeout(1)).then(
      () => true,
      () => false,
    );
  };

  it('ends the listener and proves that the port is free', async () => {
    const child = await startNode(listenScript);
    const [result] = await free([child.line]);
    expect(result).toMatchObject({ outcome: 'freed', plan: [{ action: 'terminate' }], reason: null });
    expect(result!.proof).toContain('bound and listened on 127.0.0.1');
    expect(child.process.signalCode ?? (await once(child.process, 'exit'))[1]).toBe('SIGTERM');
  });

  it('finds the wildcard that covers the address that was asked for', async () => {
    const child = await startNode(listenScript.replace("'127.0.0.1'", "'::'"));
    expect(await free([`127.0.0.1:${child.line}`])).toMatchObject([{ outcome: 'freed' }]);
  });

  it('says so where nobody owns the port', async () => {
    const child = await startNode(listenScript);
    await free([child.line]);
    expect(await free([child.line])).toMatchObject([
      { outcome: 'already-free', plan: [], proof: expect.stringContaining('bound') },
    ]);
  });

  it('ends all workers that share one socket, and their parent', async () => {
    const fixture = fileURLToPath(new URL('../fixtures/shared-socket.cjs', import.meta.url));
    const child = await startNode(`process.argv[1] = ${JSON.stringify(fixture)}; require(process.argv[1])`);
    const before = await prepareFree(system, [parsePortTarget(child.line)]);
    const holders = before[0]!.plan.kind === 'stop' ? before[0]!.plan.holders.map(({ pid }) => pid) : [];
    // Without scheduling by the primary, it and the three workers all have the socket open.
    expect(holders).toHaveLength(4);
    expect(await free([child.line])).toMatchObject([{ outcome: 'freed' }]);
    for (const pid of holders) expect(await isAlive(pid)).toBe(false);
  });

  it('kills what ignores SIGTERM, after the timeout', async () => {
    const child = await startNode(`process.on('SIGTERM', () => {}); ${listenScript}`);
    expect(await free([child.line], { timeoutMs: 100 })).toMatchObject([{ outcome: 'freed' }]);
    expect(child.process.signalCode ?? (await once(child.process, 'exit'))[1]).toBe('SIGKILL');
  });

  it('spares what has let the port go and is only finishing its work', async () => {
    const child = await startNode(
      `const server = require('net').createServer().listen(0, '127.0.0.1', () => console.log(server.address().port));
       process.on('SIGTERM', () => { server.close(); setInterval(() => {}, 1000) });`,
    );
    expect(await free([child.line], { timeoutMs: 300 })).toMatchObject([{ outcome: 'freed' }]);
    expect(await isAlive(child.pid)).toBe(true);
  });

  it('never touches a client of the port', async () => {
    const child = await startNode(listenScript);
    const client = await startNode(
      `const c = require('net').connect(${child.line}, '127.0.0.1', () => console.log('on')); c.on('error', () => {}); setInterval(() => {}, 1000)`,
    );
    expect(await free([child.line])).toMatchObject([{ outcome: 'freed' }]);
    expect(await isAlive(client.pid)).toBe(true);
    // Nor one whose own local port it is.
    const server = createServer((socket) => socket.on('error', () => {}));
    servers.push(server);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    await once(socket, 'connect');
    const inUse = await free([String(socket.localPort)]);
    expect(inUse).toMatchObject([
      { outcome: 'failed', reason: expect.stringContaining('nobody listens on it') },
    ]);
    expect(socket.destroyed).toBe(false);
    socket.destroy();
  });

  it('names the parent that starts its child anew', async () => {
    const parent = await startNode(
      `const { spawn } = require('child_process');
       let port = 0;
       (function again() {
         const child = spawn(process.execPath, ['-e', \`require('net').createServer().listen(\${port}, '127.0.0.1', function () { console.log(this.address().port) })\`]);
         child.stdout.once('data', (text) => { if (!port) { port = Number(text); console.log(port) } });
         child.once('exit', again);
         process.once('exit', () => child.kill('SIGKILL'));
       })();
       process.on('SIGTERM', () => process.exit());`,
    );
    const [result] = await free([parent.line], { watchMs: 5000 });
    expect(result).toMatchObject({ outcome: 'failed' });
    expect(result!.reason).toMatch(/taken again by node \(PID \d+\)/);
    expect(result!.reason).toContain(`its parent node (PID ${parent.pid}) starts anew`);
    const gone = once(parent.process, 'exit');
    parent.process.kill('SIGTERM');
    await gone;
  });

  it('refuses to end its own parent', async () => {
    // The parent listens and runs `reeve free` on its own port.
    const parent = await startNode(
      `const server = require('net').createServer().listen(0, '127.0.0.1', () => {
         const { spawnSync } = require('child_process');
         const run = spawnSync(process.execPath, [${JSON.stringify(reeveFile)}, 'free', '--yes', '--json', String(server.address().port)], { encoding: 'utf8' });
         console.log(JSON.stringify({ code: run.status, record: JSON.parse(run.stdout) }));
       });`,
    );
    const { code, record } = JSON.parse(parent.line) as { code: number; record: FreeRecord };
    expect(code).toBe(1);
    expect(record.results).toMatchObject([
      { outcome: 'refused', reason: expect.stringContaining('parent of this reeve') },
    ]);
    expect(await isAlive(parent.pid)).toBe(true);
  });

  it('signals nobody when the PID belongs to another process by the time of the signal', async () => {
    const child = await startNode(listenScript);
    const signalled: string[] = [];
    // The same system, but the planned process is told to have started at another time: its PID has been reused.
    const reused: System = {
      ...system,
      processes: {
        ...system.processes,
        facts: async (pid) => {
          const facts = await system.processes.facts(pid);
          return facts && pid === child.pid ? { ...facts, start: 'earlier' } : facts;
        },
        list: async () =>
          (await system.processes.list()).map((node) =>
            node.pid === child.pid ? { ...node, start: 'earlier' } : node,
          ),
        signal: async (identity, name) => {
          const outcome = await system.processes.signal(identity, name);
          signalled.push(outcome);
          return outcome;
        },
      },
    };
    const [result] = await free([child.line], { timeoutMs: 100 }, reused);
    expect(result!.outcome).toBe('failed');
    expect(signalled).not.toContain('sent');
    expect(await isAlive(child.pid)).toBe(true);
  });

  it('signals nobody when the port has changed hands since the plan', async () => {
    const first = await startNode(listenScript);
    const [prepared] = await prepareFree(system, [parsePortTarget(first.line)]);
    const gone = once(first.process, 'exit');
    first.process.kill('SIGKILL');
    await gone;
    const second = await startNode(listenScript.replace('listen(0', `listen(${first.line}`));
    const result = await carryOut(system, prepared!, { watchMs: 100 }, never);
    expect(result).toMatchObject({ outcome: 'failed', reason: expect.stringContaining('changed hands') });
    expect(await isAlive(second.pid)).toBe(true);
  });

  it('frees the ports of a range, and a UDP port', async () => {
    const udp = await startNode(
      `const s = require('dgram').createSocket('udp4'); s.bind(0, '127.0.0.1', () => console.log(s.address().port))`,
    );
    expect(await free([`udp:${udp.line}`])).toMatchObject([
      { endpoint: `udp:${udp.line}`, outcome: 'freed' },
    ]);
    const [a, b] = [await startNode(listenScript), await startNode(listenScript)];
    const [first, last] = [Number(a.line), Number(b.line)].sort((x, y) => x - y) as [number, number];
    if (last - first < 1024) {
      const results = await free([`${first}-${last}`]);
      const ports = results.filter(({ outcome }) => outcome === 'freed').map(({ endpoint }) => endpoint);
      expect(ports).toEqual(expect.arrayContaining([`tcp:${first}`, `tcp:${last}`]));
    } else {
      await expect(free([`${first}-${last}`])).rejects.toMatchObject({ code: 'usage' });
    }
  });

  it('leaves a port that is merely kept to its owner', async () => {
    using raw = rawSocket('127.0.0.1');
    expect(await free([String(raw.port)])).toMatchObject([{ outcome: 'refused' }]);
  });

  it('asks nothing without a terminal, and names the flag', async () => {
    const child = await startNode(listenScript);
    const { code, stderr } = await reeve(['free', child.line]);
    expect([code, stderr.includes('--yes')]).toEqual([2, true]);
    expect(await isAlive(child.pid)).toBe(true);
    const dry = await reeveJson<FreeRecord>(['free', child.line, '--dry-run']);
    expect(dry.results).toMatchObject([{ outcome: 'planned', plan: [{ action: 'terminate' }] }]);
    expect(await isAlive(child.pid)).toBe(true);
    const done = await reeve(['free', child.line, '--yes']);
    expect([done.code, done.stdout]).toEqual([0, expect.stringContaining('is free')]);
  });
});

describe.runIf(needs('free without privilege', 'linux', 'root'))('free, asked by another user', () => {
  it('refuses with exit code 3 where the holder is hidden', async () => {
    using copy = publicCopy();
    const child = await startNode(listenScript);
    const run = await reeve(['free', child.line, '--yes'], { file: copy.file, cwd: copy.folder, ...nobody });
    expect([run.code, run.stdout]).toEqual([3, expect.stringContaining('cannot be shown')]);
    expect(child.process.exitCode).toBeNull();
  });
});
