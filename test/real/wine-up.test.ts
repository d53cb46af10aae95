// up and run as Windows programs under Wine: the quickstart, its end, and the whole tree ended with reeve.
import { cpSync, existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DaemonStatus } from '../../src/daemon/index.ts';
import { eventually } from '../support/children.ts';
import { needs } from '../support/parts.ts';
import { Wine, type WineProcess, windowsPath } from '../support/wine.ts';

const example = path.join(import.meta.dirname, '../../examples/quickstart');

describe.runIf(needs('up and run on Windows', 'wine', 'root', 'ip'))('under Wine', () => {
  let wine: Wine;
  beforeEach(async () => {
    wine = await Wine.create();
  });
  afterEach(() => wine[Symbol.asyncDispose]());

  const fetchText = async (url: string) => {
    const { line } = await wine.script(
      `fetch('${url}').then((r) => r.text()).then((text) => console.log(JSON.stringify(text)), (e) => console.log('"failed"'))`,
    );
    return JSON.parse(line) as string;
  };
  /** Of reeve's own child processes and theirs: each writes its PID as Windows has it. */
  const isRunning = async (pid: string) =>
    (await wine.script(`try { process.kill(${pid}, 0); console.log('yes') } catch { console.log('no') }`))
      .line === 'yes';

  async function startQuickstart(): Promise<{ daemon: WineProcess; file: string; folder: string }> {
    const folder = path.join(wine.prefix, 'drive_c', 'quickstart');
    cpSync(example, folder, { recursive: true, filter: (source) => !/(state|data|token)$/.test(source) });
    const file = 'C:\\quickstart\\reeve.yaml';
    const daemon = wine.start(['up', '-c', file], { cwd: folder });
    await eventually(() => {
      if (daemon.process.exitCode !== null) throw new Error(`${daemon.stdout()}${daemon.stderr()}`);
      return daemon.stdout().includes('try  intake');
    }, 40_000);
    return { daemon, file, folder };
  }

  it('runs the quickstart, and ends it when told to', async () => {
    const { daemon, file, folder } = await startQuickstart();
    await eventually(async () => {
      const { services } = await wine.json<DaemonStatus>(['status', '-c', file]);
      return services[0]!.instances.every(({ state }) => state === 'up');
    }, 30_000);
    expect(await fetchText('http://127.0.0.1:8080/')).toMatch(/^hello from port \d+, PID \d+\n$/);
    await wine.script(
      `require('node:net').connect(9000, '127.0.0.1').end('hello\\n', () => console.log('sent'))`,
    );
    const events = path.join(folder, 'data', 'events.jsonl');
    await eventually(() => existsSync(events) && readFileSync(events, 'utf8').includes('hello'), 20_000);
    expect(await wine.reeve(['down', '-c', file])).toMatchObject({ code: 0 });
    expect(await daemon.exited).toBe(0);
    expect(await fetchText('http://127.0.0.1:8080/')).toBe('failed');
  });

  it('takes everything that it runs with it when it is killed', async () => {
    const { daemon, file } = await startQuickstart();
    const { services } = await wine.json<DaemonStatus>(['status', '-c', file]);
    const pids = services[0]!.instances.map(({ pid }) => String(pid));
    expect(await isRunning(pids[0]!)).toBe(true);
    daemon.process.kill('SIGKILL');
    await daemon.exited;
    for (const pid of pids) await eventually(async () => !(await isRunning(pid)), 20_000);
  });

  it('runs a command on a port of its own, and ends what that left behind', async () => {
    const script = windowsPath(path.join(import.meta.dirname, '../fixtures/windows/leaves-child.mjs'));
    const { code, stdout, stderr } = await wine.reeve(['run', 'web', '--', 'node', script]);
    expect({ code, stderr }).toMatchObject({ code: 7 });
    const [, port, child] = /port (\d+) child (\d+)/.exec(stdout)!;
    expect(Number(port)).toBeGreaterThan(1023);
    await eventually(async () => !(await isRunning(child!)), 10_000);
  });
});
