// reeve up leaves no process of a service behind that has left its group: not after a stop, and not after kill -9.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { eventually } from '../support/children.ts';
import { needs } from '../support/parts.ts';
import { startReeve } from '../support/reeve.ts';
import { fixtures, lives, node, temporaryFolder, untilGone, watched } from './run-support.ts';

const names = ['background', 'setsid', 'double', 'deaf', 'server'];

async function daemon() {
  const folder = temporaryFolder();
  const command = ['sh', path.join(fixtures, 'escape.sh'), folder, node, fixtures, 'marked'];
  const config = {
    control: { listen: '127.0.0.1:0' },
    state: path.join(folder, 'state'),
    services: {
      api: { command, env: { PID_FOLDER: folder }, ports: { http: 'auto' }, stop: { timeout: '500ms' } },
    },
  };
  const file = path.join(folder, 'reeve.yaml');
  writeFileSync(file, JSON.stringify(config));
  const env = { ...process.env, REEVE_LEASES: temporaryFolder() };
  const run = watched(startReeve(['up', '-c', file], { env }));
  await eventually(() => names.every((name) => existsSync(path.join(folder, name))), 30_000);
  const pids = names.map((name) => Number(readFileSync(path.join(folder, name), 'utf8')));
  expect(pids.map(lives)).toEqual(pids.map(() => true));
  return { run, pids };
}

describe.runIf(needs('services that leave their group', 'linux'))('processes that leave their group', () => {
  it('are ended with their service', async () => {
    const { run, pids } = await daemon();
    run.child.kill('SIGTERM');
    expect(await run.ended).toEqual({ code: 0, signal: null });
    expect(pids.filter(lives)).toEqual([]);
  });

  it('are ended by the keeper after kill -9 of the daemon', async () => {
    const { run, pids } = await daemon();
    run.child.kill('SIGKILL');
    await run.ended;
    await untilGone(pids);
  });
});
