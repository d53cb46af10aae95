// reeve run leaves nobody behind: not after Ctrl-C, a stop or the command's own end, and not when it is killed itself.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { eventually, startNode } from '../support/children.ts';
import { needs } from '../support/parts.ts';
import { reeveFile } from '../support/reeve.ts';
import {
  askServer,
  childrenOf,
  fixtures,
  lives,
  marked,
  node,
  type RunUnderTest,
  startRun,
  temporaryFolder,
  untilGone,
  untilReady,
  watched,
  zombiesOf,
} from './run-support.ts';

const names = ['background', 'setsid', 'double', 'wiped', 'deaf'];
const escaping = (folder: string) => ['sh', path.join(fixtures, 'escape.sh'), folder, node, fixtures];

interface Escaped {
  run: RunUnderTest;
  /** Of reeve itself. */
  reeve: number;
  keeper: number;
  /** Everybody that the script started, and the server. */
  pids: number[];
  mark: string;
}

/** Resolves when every process is there: the server starts last. */
async function escaped(start: (folder: string) => RunUnderTest): Promise<Escaped> {
  const folder = temporaryFolder();
  const run = start(folder);
  const { pid, port } = await untilReady(run);
  const { env } = await askServer(port);
  const pids = names.map((name) => Number(readFileSync(path.join(folder, name), 'utf8')));
  const all = [...pids, pid];
  expect(all.map(lives), 'all run').toEqual(all.map(() => true));
  const reeve = parentOf(parentOf(pid));
  const keeper = childrenOf(reeve).find((child) => commandOf(child).includes('keeper.js'));
  expect(keeper).toBeDefined();
  return { run, reeve, keeper: keeper!, pids: all, mark: env.REEVE_RUN! };
}

async function expectNobody({ pids, mark, keeper }: Escaped): Promise<void> {
  await untilGone([...pids, keeper]);
  expect(marked(mark)).toEqual([]);
}

const parentOf = (pid: number) => Number(/\) \w (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))![1]);
const commandOf = (pid: number) => readFileSync(`/proc/${pid}/cmdline`, 'utf8');
const direct = (folder: string) => startRun(['--stop-timeout', '500ms', '--', ...escaping(folder)]);

/**
 * On a terminal of its own (script(1)): what is written to stdin is typed. The shell of script gives its place to reeve:
 * dash, the one where SHELL is not set, would stay, get the Ctrl-C too and end by it, whatever reeve says.
 */
function terminalRun(args: string[]): RunUnderTest {
  const line = [node, reeveFile, 'run', ...args].map((word) => `'${word}'`).join(' ');
  const child = spawn('script', ['-qec', `exec ${line}`, '/dev/null'], {
    env: { ...process.env, REEVE_LEASES: temporaryFolder() },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  return watched(child);
}

describe.runIf(needs('the tree of reeve run', 'linux'))('the tree of reeve run', () => {
  it.runIf(needs('Ctrl-C on a terminal', 'script'))('is gone after Ctrl-C', async () => {
    const onTerminal = (folder: string) =>
      terminalRun(['--stop-timeout', '500ms', '--', ...escaping(folder)]);
    const tree = await escaped(onTerminal);
    tree.run.child.stdin!.write('\x03');
    expect((await tree.run.ended).code).toBe(130);
    await expectNobody(tree);
  });

  it.runIf(needs('a terminal that closes', 'script'))('is gone when its terminal closes', async () => {
    const tree = await escaped((folder) =>
      terminalRun(['--stop-timeout', '500ms', '--', ...escaping(folder)]),
    );
    tree.run.child.kill('SIGKILL');
    await untilGone([...tree.pids, tree.reeve]);
    await expectNobody(tree);
  });

  it.runIf(needs('Ctrl-C once on a terminal', 'script'))('gets each Ctrl-C once, and may go on', async () => {
    const run = terminalRun(['--', node, path.join(fixtures, 'server.mjs'), '{port}', 'interrupt-twice']);
    await untilReady(run);
    for (const count of [1, 2]) {
      run.child.stdin!.write('\x03');
      // Had it got the first one twice, it would have ended by now.
      await run.until(new RegExp(`interrupt ${count}`));
    }
    expect((await run.ended).code).toBe(6);
  });

  it.runIf(needs('Ctrl-C again and again', 'script'))('is stopped by Ctrl-C again and again', async () => {
    const run = terminalRun(['--', node, path.join(fixtures, 'server.mjs'), '{port}', 'never-interrupted']);
    const { pid } = await untilReady(run);
    // The terminal may close in the middle of a key press.
    run.child.stdin!.on('error', () => {});
    let ended = false;
    void run.ended.then(() => {
      ended = true;
    });
    await eventually(() => {
      run.child.stdin!.write('\x03');
      return ended;
    });
    await untilGone([pid]);
  });

  it('is gone after kill -9 of reeve', async () => {
    const tree = await escaped(direct);
    expect(tree.reeve).toBe(tree.run.pid);
    process.kill(tree.run.pid, 'SIGKILL');
    expect(await tree.run.ended).toEqual({ code: null, signal: 'SIGKILL' });
    await expectNobody(tree);
  });

  it('is gone after SIGTERM', async () => {
    const tree = await escaped(direct);
    tree.run.child.kill('SIGTERM');
    await tree.run.ended;
    // Not only a moment later: reeve has waited for it.
    expect(tree.pids.filter(lives)).toEqual([]);
    await expectNobody(tree);
  });

  it('is gone after the end of the command itself', async () => {
    const tree = await escaped(direct);
    const script = childrenOf(tree.run.pid).find((pid) => commandOf(pid).includes('escape.sh'))!;
    process.kill(script, 'SIGKILL');
    expect(await tree.run.ended).toEqual({ code: 137, signal: null });
    expect(tree.pids.filter(lives)).toEqual([]);
    await expectNobody(tree);
  });

  it('is gone after kill -9 of the keeper and then of reeve: another keeper took its place', async () => {
    const tree = await escaped(direct);
    process.kill(tree.keeper, 'SIGKILL');
    const second = await eventually(() =>
      childrenOf(tree.run.pid).find((pid) => pid !== tree.keeper && commandOf(pid).includes('keeper.js')),
    );
    process.kill(tree.run.pid, 'SIGKILL');
    await expectNobody({ ...tree, keeper: second });
  });

  it('ends nobody else, and no keeper stays after an end in order', async () => {
    const bystander = await startNode(`setInterval(() => {}, 1000); console.log('up')`);
    const tree = await escaped(direct);
    process.kill(tree.run.pid, 'SIGKILL');
    await expectNobody(tree);
    expect(lives(bystander.pid)).toBe(true);
    const run = startRun(['--', 'sh', '-c', 'sleep 0.2']);
    const keeper = await eventually(() =>
      childrenOf(run.pid).find((pid) => commandOf(pid).includes('keeper.js')),
    );
    expect(await run.ended).toEqual({ code: 0, signal: null });
    await untilGone([keeper]);
    expect(lives(bystander.pid)).toBe(true);
  });

  it('leaves no zombie of the orphans that it took in', async () => {
    const script = 'for i in 1 2 3 4 5; do (sleep 0.3 &); done; echo started; exec sleep 1000';
    const run = startRun(['--', 'sh', '-c', script]);
    await run.until(/started/);
    await eventually(() => childrenOf(run.pid).length >= 7);
    await eventually(() => childrenOf(run.pid).length === 2 && zombiesOf(run.pid).length === 0, 20_000);
    run.child.kill('SIGTERM');
    await run.ended;
  });
});
