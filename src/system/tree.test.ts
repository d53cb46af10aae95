// Who belongs to a tree: by its mark, by what was seen before, by parents; and who never does. Nobody is signalled.
import { expect, test } from 'vitest';
import { endChild, startNode } from '../../test/support/children.ts';
import { needs } from '../../test/support/parts.ts';
import { selectSystem } from './select.ts';
import type { ProcessIdentity } from './system.ts';
import { endTree, markName, membersOf, type TreeTrace } from './tree.ts';

const onLinux = needs('the tree of a command', 'linux');
const nothing: TreeTrace = { mark: null, known: [], adopter: null, spared: new Set() };
const idle = `setInterval(() => {}, 1000); console.log('up')`;
const withChild = `require('child_process').spawn(process.execPath, ['-e', ${JSON.stringify(idle)}], {
  env: {}, stdio: 'inherit' });`;
const unique = () => crypto.randomUUID();

test.runIf(onLinux)('a trace that tells nothing leads to nobody', async () => {
  const system = await selectSystem();
  expect(await membersOf(system, nothing)).toEqual([]);
  expect(await membersOf(system, { ...nothing, mark: unique() })).toEqual([]);
});

test.runIf(onLinux)('no trace leads to this process, to those above it, or to the first one', async () => {
  const system = await selectSystem();
  const known: ProcessIdentity[] = [];
  for (const pid of [1, process.ppid, process.pid]) known.push((await system.processes.identify(pid))!);
  const members = await membersOf(system, { ...nothing, known });
  const pids = members.map(({ pid }) => pid);
  for (const { pid } of known) expect(pids).not.toContain(pid);
});

test.runIf(onLinux)(
  'a mark, an identity and an adopter each lead to a process and to what it started',
  async () => {
    const system = await selectSystem();
    const mark = unique();
    const env = { ...process.env, [markName]: mark };
    const one = await startNode(withChild, { env });
    const identity = (await system.processes.identify(one.pid))!;
    const traces = [
      { ...nothing, mark },
      { ...nothing, known: [identity] },
      { ...nothing, adopter: process.pid },
    ];
    for (const trace of traces) {
      const members = await membersOf(system, trace);
      expect(members).toContainEqual(expect.objectContaining(identity));
      // Its environment is empty: only its parent tells.
      expect(members).toContainEqual(expect.objectContaining({ parent: one.pid }));
    }
    const [child] = (await membersOf(system, traces[1]!)).filter(({ parent }) => parent === one.pid);
    const spared = { ...nothing, mark, spared: new Set([child!.pid]) };
    expect((await membersOf(system, spared)).map(({ pid }) => pid)).toEqual([one.pid]);
    const left = await endTree(() => membersOf(system, traces[0]!), system, { timeout: 10_000 });
    expect(left).toEqual([]);
    await endChild(one);
    expect(await system.processes.identify(child!.pid)).toBeNull();
  },
);

test.runIf(onLinux)('a successor on a PID that was seen before is nobody of it', async () => {
  const system = await selectSystem();
  const child = await startNode(idle);
  const { pid, start } = (await system.processes.identify(child.pid))!;
  expect(await membersOf(system, { ...nothing, known: [{ pid, start: `0${start}` }] })).toEqual([]);
});
