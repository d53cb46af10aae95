// examples/cluster as a user runs it: hosts, agents and a service are lost, and requests go on; nothing is left behind.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { eventually } from '../support/children.ts';
import { needs } from '../support/parts.ts';

const script = path.join(import.meta.dirname, '../../examples/cluster/run.mjs');
const ended: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0)) await end();
});

function start() {
  const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'pipe'] });
  const run = { child, text: '', closed: once(child, 'close') };
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      run.text += text;
    });
  // Gently: it takes down what it has put up.
  ended.push(() => child.exitCode === null && child.kill('SIGTERM') && run.closed);
  return run;
}

async function leftBy(pid: number): Promise<string[]> {
  const { stdout } = await promisify(execFile)('ip', ['netns', 'list']);
  return stdout.split('\n').filter((line) => line.startsWith(`reeve-cluster-${pid}-`));
}

const clusterFolders = () => readdirSync(tmpdir()).filter((name) => name.startsWith('reeve-cluster-'));

describe.runIf(needs('the cluster example', 'linux', 'root', 'ip', 'consul'))(
  'a cluster of three hosts',
  () => {
    it('serves on while a service, agents and a host are lost, and Consul and reeve agree at every step', async () => {
      const before = clusterFolders();
      const run = start();
      expect(await run.closed, run.text).toEqual([0, null]);
      expect(run.text.match(/Consul and reeve agree after/g), run.text).toHaveLength(8);
      for (const client of ['listener', 'dial']) {
        const [, failed, all] = new RegExp(`in all:.*${client}: (\\d+) of (\\d+)`)
          .exec(run.text)!
          .map(Number);
        expect(all, run.text).toBeGreaterThan(100);
        // What was under way on whatever was killed is lost to a client that does not ask again.
        expect(failed! / all!, run.text).toBeLessThan(client === 'dial' ? 0.005 : 0.02);
      }
      expect(await leftBy(run.child.pid!)).toEqual([]);
      expect(clusterFolders()).toEqual(before);
    }, 240_000);

    it('is taken down by Ctrl-C, with all that it has started', async () => {
      const run = start();
      const pid = run.child.pid!;
      const pids = async () => {
        const lists = (await leftBy(pid)).map((line) =>
          promisify(execFile)('ip', ['netns', 'pids', line.split(' ')[0]!]),
        );
        return (await Promise.all(lists)).flatMap(({ stdout }) => stdout.split('\n').filter(Boolean));
      };
      const running = await eventually(async () => {
        const list = await pids().catch(() => []);
        return list.length > 5 ? list : null;
      }, 60_000);
      run.child.kill('SIGINT');
      expect((await run.closed)[0], run.text).toBe(130);
      expect(await leftBy(pid)).toEqual([]);
      expect(running.filter((each) => existsSync(`/proc/${each}/exe`))).toEqual([]);
    }, 120_000);
  },
);
