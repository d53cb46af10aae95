// reeve free on real holders under Wine: asked by Ctrl-C, terminated with what they started, services by their manager.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FreeResult, WhoRecord } from '../../src/core/records.ts';
import { eventually } from '../support/children.ts';
import { needs } from '../support/parts.ts';
import { Wine, windowsPath } from '../support/wine.ts';

const project = path.join(import.meta.dirname, '../..');
const fixture = (name: string) => windowsPath(path.join(project, 'test/fixtures/windows', name));

interface Freed {
  status: number;
  results: FreeResult[];
  pid: number;
  /** Exit code of the holder; null while it runs. */
  ended: number | null;
  heard: boolean;
  left: number[];
  ms: number;
}

describe.runIf(needs('free on Windows', 'wine', 'root', 'ip'))('under Wine', () => {
  let wine: Wine;
  beforeAll(async () => {
    wine = await Wine.create();
    wine.giveServices();
    wine.giveWindows();
  });
  afterAll(() => wine[Symbol.asyncDispose]());

  async function free(manner: string, ...options: string[]): Promise<Freed> {
    const reeve = windowsPath(path.join(project, 'dist', 'reeve.cjs'));
    const run = wine.node([
      ...[fixture('free-holder.cjs'), fixture('holder.cjs'), manner, reeve],
      ...options,
    ]);
    await run.exited;
    const { text, errors, ...rest } = JSON.parse(run.stdout());
    if (errors !== '') throw new Error(errors);
    return { ...rest, results: JSON.parse(text).results };
  }

  it('asks the holder by Ctrl-C in its console, and does no more where that is enough', async () => {
    const { status, results, pid, ended, heard } = await free('polite', '--timeout', '30s');
    expect(results).toMatchObject([
      { outcome: 'freed', plan: [{ action: 'terminate', subject: `node.exe (PID ${pid})` }] },
    ]);
    expect({ status, ended, heard }).toEqual({ status: 0, ended: 0, heard: true });
  });

  it('terminates one that does not listen, and what it started, after the time it was given', async () => {
    const { status, results, pid, ended, heard, left } = await free('deaf', '--timeout', '3s');
    expect(results).toMatchObject([
      { outcome: 'freed', plan: [{ subject: `node.exe (PID ${pid}), with 1 started by it` }] },
    ]);
    expect({ status, ended, heard, left }).toEqual({ status: 0, ended: 1, heard: true, left: [] });
  });

  it('terminates at once one that cannot be asked', async () => {
    const { status, results, ended, heard, ms } = await free('alone', '--timeout', '60s');
    expect(results).toMatchObject([{ outcome: 'freed' }]);
    expect({ status, ended, heard }).toEqual({ status: 0, ended: 1, heard: false });
    expect(ms).toBeLessThan(50_000);
  });

  it('asks a window to close', async () => {
    const { status, results, ended, heard } = await free('windowed', '--timeout', '30s');
    expect(results).toMatchObject([{ outcome: 'freed' }]);
    expect({ status, ended, heard }).toEqual({ status: 0, ended: 0, heard: true });
  });

  it('presses Ctrl-Break where Ctrl-C is ignored', async () => {
    // Wine 8 ends a process by Ctrl-Break without asking its handlers; Ctrl-C would not be heard for a minute.
    const { status, results, ended, heard, ms } = await free('grouped', '--timeout', '60s');
    expect(results).toMatchObject([{ outcome: 'freed' }]);
    expect({ status, ended: ended !== null, heard }).toEqual({ status: 0, ended: true, heard: false });
    expect(ms).toBeLessThan(50_000);
  });

  it('stops the service whose program has the port, which would start it anew', async () => {
    const command = ['node', fixture('holder.cjs'), 'polite', 'C:\\ProgramData\\web.json'];
    const install = await wine.reeve(['service', 'install', '--name', 'web', '--now', '--', ...command]);
    expect(install).toMatchObject({ code: 0, stderr: '' });
    const report = path.join(wine.prefix, 'drive_c/ProgramData/web.json');
    const text = await eventually(() => (existsSync(report) && readFileSync(report, 'utf8')) || null, 30_000);
    const { port, pid } = JSON.parse(text);
    const { sockets } = await wine.json<WhoRecord>(['who', String(port)]);
    expect(sockets[0]?.holders).toMatchObject([{ pid, service: 'web' }]);
    const { results } = await wine.json<{ results: FreeResult[] }>(['free', String(port), '--yes']);
    expect(results).toMatchObject([
      {
        outcome: 'freed',
        plan: [{ action: 'stop-unit', subject: `Windows service web, in which node.exe (PID ${pid}) runs` }],
      },
    ]);
    expect(await wine.json(['service', 'status', '--name', 'web'])).toMatchObject({ state: 'stopped' });
  }, 90_000);
});
