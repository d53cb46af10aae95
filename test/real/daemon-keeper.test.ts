// reeve up leaves no process of a service behind that has left its group: not after a stop, and not after kill -9.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { eventually } from '../support/children.ts';
import { needs } from '../support/parts.ts';
import { startReeve } from '../support/reeve.ts';
import { fixtures, lives, node, temporaryFolder, untilGone, watched } from './run-support.ts';

const marked = ['background', 'setsid', 'double', 'deaf', 'server'];

async function daemon(names = marked, mode = 'marked') {
  const folder = temporaryFolder();
  const command = ['sh', path.join(fixtures, 'escape.sh'), folder, node, fixtures, mode];
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

describe.runIf(needs('services in a control group', 'linux', 'cgroup2'))('in a control group', () => {
  const daemonWithGroup = async () => {
    const { run, pids } = await daemon([...marked, 'wiped'], 'all');
    const groups = new Set(pids.map(groupOf));
    expect(groups.size).toBe(1);
    const [group] = [...groups];
    expect(group).toMatch(/\/reeve-[0-9a-f-]{36}$/);
    expect(groupOf(run.child.pid!)).not.toBe(group);
    return { run, pids, group: group! };
  };

  it('one with no parent and no environment is ended with its service, and the group removed', async () => {
    const { run, pids, group } = await daemonWithGroup();
    run.child.kill('SIGTERM');
    expect(await run.ended).toEqual({ code: 0, signal: null });
    expect(pids.filter(lives)).toEqual([]);
    expect(groupsLeft()).not.toContain(path.basename(group));
  });

  it('the same after kill -9 of the daemon', async () => {
    const { run, pids, group } = await daemonWithGroup();
    run.child.kill('SIGKILL');
    await run.ended;
    await untilGone(pids);
    await eventually(() => !groupsLeft().includes(path.basename(group)));
  });
});

const groupOf = (pid: number) => /^0::(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8'))?.[1];

function groupsLeft(): string[] {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  const mount = mounts.find((line) => line.includes(' - cgroup2 '))!.split(' ')[4]!;
  return readdirSync(path.join(mount, groupOf(process.pid)!));
}
