// The native engine in the daemon: chosen, said so, reloaded without new workers, and gone with the daemon.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { chooseEngines } from '../../src/daemon/engines.ts';
import type { DaemonStatus } from '../../src/daemon/index.ts';
import { ask, says, startTarget, testContext } from '../contract/engine-harness.ts';
import { eventually } from '../support/children.ts';
import { needs } from '../support/parts.ts';
import { reeveFile } from '../support/reeve.ts';
import { askJson, type House, house } from './daemon-support.ts';

const children: ChildProcess[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) {
    for (const name of ['SIGTERM', 'SIGINT'] as const) child.kill(name);
    await eventually(() => child.exitCode !== null || child.signalCode !== null);
  }
});

async function up({ file, folder }: House) {
  const child = spawn(process.execPath, [reeveFile, 'up', '-c', file], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  children.push(child);
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  const control = await eventually(() => /http:\/\/(127\.0\.0\.1:\d+)\//.exec(text)?.[1], 30_000);
  const status = () => askJson<DaemonStatus>(control, '/api/v1/status');
  return { child, control, status, folder };
}

const portOf = ({ binds }: DaemonStatus['listeners'][number]) => Number(binds[0]!.address.split(':')[1]);

/** All that the daemon has started, the spare one among them. */
function workersBelow(pid: number): number[] {
  const below = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
  return below
    .map(Number)
    .filter((each) => readFileSync(`/proc/${each}/cmdline`, 'utf8').includes('relay-worker'));
}

/** Two that run, and one to spare. */
function threeBelow(pid: number): number[] | null {
  const below = workersBelow(pid);
  return below.length === 3 ? below : null;
}

async function workersOf({ status }: Awaited<ReturnType<typeof up>>): Promise<number[]> {
  return (await status()).relayWorkers.map(({ pid }) => pid);
}

function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

const yaml = (target: string, more = '') => `
relay: { engine: native, workers: 2 }
listeners:
  web: { bind: ["127.0.0.1:0"], balance: { targets: ["${target}"] }${more} }
  intake: { bind: ["127.0.0.1:0"], sink: lines }
sinks:
  lines: { file: lines.jsonl }
`;

describe.runIf(needs('the native engine in the daemon', 'linux'))('relay.engine native', () => {
  it('carries listeners with targets and with a sink, and says why', async () => {
    const one = await startTarget(says('one'));
    const daemon = await up(house(yaml(one.id)));
    const { listeners } = await daemon.status();
    expect(listeners.map(({ engine }) => engine)).toEqual(['native', 'native']);
    expect(listeners[0]!.engineReason).toContain('relay.engine is native');
    const port = portOf(listeners[0]!);
    expect(await ask(port)).toBe('one');
    await eventually(async () => (await daemon.status()).listeners[0]!.ended.done === 1);
    expect((await daemon.status()).listeners[0]).toMatchObject({
      bytes: { received: 0, sent: 3 },
      ended: { done: 1 },
      targets: [{ id: one.id, connections: { active: 0, total: 1 } }],
    });
    const { relayWorkers } = await daemon.status();
    expect(relayWorkers).toHaveLength(2);
    const below = await eventually(() => threeBelow(daemon.child.pid!));
    expect(below).toEqual(expect.arrayContaining(relayWorkers.map(({ pid }) => pid)));
    for (const { cpuSeconds, memoryBytes } of relayWorkers) {
      expect(cpuSeconds).toBeGreaterThanOrEqual(0);
      expect(memoryBytes).toBeGreaterThan(10_000_000);
    }
    const metrics = await (await fetch(`http://${daemon.control}/metrics`)).text();
    expect(metrics).toMatch(/portreeve_relay_worker_cpu_seconds_total\{worker="1"\} [\d.]+/);
    expect(metrics).toMatch(/portreeve_relay_worker_resident_memory_bytes\{worker="0"\} \d+/);
    const { stdout } = await promisify(execFile)(process.execPath, [
      reeveFile,
      'status',
      '--control',
      daemon.control,
    ]);
    expect(stdout).toMatch(/web .* targets +native/);
    expect(stdout).toMatch(/intake .* sink\/lines +native/);
  });

  it('takes up new targets and limits with the workers that run', async () => {
    const one = await startTarget(says('one'));
    const two = await startTarget(says('two'));
    const home = house(yaml(one.id));
    const daemon = await up(home);
    const port = portOf((await daemon.status()).listeners[0]!);
    expect(await ask(port)).toBe('one');
    const before = await workersOf(daemon);
    expect(before).toHaveLength(2);
    home.write(yaml(two.id, ', limits: { connections: 3 }'));
    daemon.child.kill('SIGHUP');
    await eventually(async () => (await ask(port)) === 'two');
    expect(await workersOf(daemon)).toEqual(before);
  });

  it('gives way to the portable engine where workers keep dying, and says so', async () => {
    const one = await startTarget(says('one'));
    const daemon = await up(house(yaml(one.id)));
    const port = portOf((await daemon.status()).listeners[0]!);
    expect(await ask(port)).toBe('one');
    const killed = new Set<number>();
    const row = await eventually(async () => {
      for (const pid of await workersOf(daemon)) {
        if (killed.has(pid)) continue;
        killed.add(pid);
        process.kill(pid, 'SIGKILL');
      }
      const [listener] = (await daemon.status()).listeners;
      return listener?.engine === 'portable' ? listener : undefined;
    }, 30_000);
    expect(row?.engineReason).toMatch(
      /given up .*a worker has died 5 times within 10 s \(ended by SIGKILL\)/,
    );
    expect(await ask(port)).toBe('one');
    await eventually(() => workersBelow(daemon.child.pid!).length === 0);
    expect(killed.size).toBeLessThanOrEqual(10);
    const events = await askJson<object>(daemon.control, '/api/v1/events?since=0');
    expect(JSON.stringify(events)).toContain('the native engine is given up: a worker has died 5 times');
  });

  it('goes with a daemon that is killed', async () => {
    const one = await startTarget(says('one'));
    const daemon = await up(house(yaml(one.id)));
    const workers = await eventually(() => threeBelow(daemon.child.pid!));
    daemon.child.kill('SIGKILL');
    await eventually(() => !workers.some(isRunning));
  });
});

describe('the choice', () => {
  const context = testContext();
  const choose = (engine: 'auto' | 'native' | 'portable', platform: string, file: string | null) =>
    chooseEngines({ context, relay: { engine, workers: 1 }, platform, file });
  const balanced = { sink: undefined } as never;

  it('is portable, with the reason, where the native engine cannot run', () => {
    expect(choose('auto', 'darwin', 'worker.js')(balanced)).toMatchObject({
      engine: { name: 'portable' },
      why: 'the native engine needs Linux, and this is darwin',
    });
    expect(choose('auto', 'linux', null)(balanced)).toMatchObject({
      engine: { name: 'portable' },
      why: expect.stringContaining('missing'),
    });
    expect(choose('portable', 'linux', 'worker.js')(balanced).why).toBe('relay.engine is portable');
  });

  it('is refused where only the native engine will do', () => {
    expect(() => choose('native', 'win32', 'worker.js')).toThrow(
      expect.objectContaining({
        code: 'config',
        message: expect.stringContaining('relay.engine is native, but'),
      }),
    );
  });
});
