// The contract of System.containment: orphans adopted and reaped, marks found. In a file, and so a process, of its own.
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { hasEntry } from '../../src/system/linux/containment.ts';
import { createLinuxSystem } from '../../src/system/linux/index.ts';
import { createUnsupportedSystem } from '../../src/system/unsupported/index.ts';
import { eventually, startNode } from '../support/children.ts';
import { needs } from '../support/parts.ts';

const idle = `setInterval(() => {}, 1000); console.log('up')`;
/** Starts a process, prints its PID and ends. */
const orphaning = (script: string) => `
  const child = require('child_process').spawn(process.execPath, ['-e', ${JSON.stringify(script)}], { detached: true, stdio: 'ignore' });
  child.unref();
  console.log(child.pid);`;

describe.runIf(needs('containment on Linux', 'linux'))('containment on Linux', () => {
  const { containment, processes } = createLinuxSystem();

  it('finds by the whole of a variable, in any environment that may be read', async () => {
    const value = crypto.randomUUID();
    const env = { ...process.env, REEVE_TEST: value };
    const child = await startNode(idle, { env });
    expect(await containment.marked('REEVE_TEST', value)).toEqual([await processes.identify(child.pid)]);
    expect(await containment.marked('REEVE_TEST', value.slice(0, -1))).toEqual([]);
    expect(await containment.marked('EVE_TEST', value)).toEqual([]);
    const ended = once(child.process, 'exit');
    child.process.kill('SIGKILL');
    await ended;
    expect(await containment.marked('REEVE_TEST', value)).toEqual([]);
  });

  it('adopts an orphan, sees it as a zombie when it has ended, and reaps it and nobody else', async () => {
    expect(containment.adoptOrphans()).toBe(true);
    const parent = await startNode(orphaning(idle));
    const orphan = Number(parent.line);
    await eventually(async () => (await processes.facts(orphan))?.parent === process.pid);
    expect(containment.zombies()).not.toContain(orphan);
    expect(containment.reap(orphan), 'it runs').toBe(false);
    const identity = (await processes.identify(orphan))!;
    await processes.signal(identity, 'SIGKILL');
    await eventually(() => containment.zombies().includes(orphan));
    expect(containment.reap(orphan)).toBe(true);
    expect(containment.reap(orphan), 'a second time').toBe(false);
    expect(containment.zombies()).not.toContain(orphan);
  });

  it.runIf(needs('control groups', 'cgroup2'))(
    'keeps in a group who is started there, and ends it at a stroke',
    async () => {
      expect(containment.abilities.encloses).toBe(true);
      const mark = crypto.randomUUID();
      const alone = await startNode(idle);
      // Forks at once, with nothing in its environment, and is gone.
      const child = await containment.enclose(mark, () => startNode(orphaning(idle), { env: {} }));
      const orphan = Number(child.line);
      const marked = async () => (await containment.marked('REEVE_TEST', mark)).map(({ pid }) => pid);
      await eventually(async () => (await marked()).join() === String(orphan));
      // One that somebody is in stays.
      containment.dissolve(mark);
      expect(await marked()).toEqual([orphan]);
      containment.killEnclosed(mark);
      await eventually(async () => (await marked()).length === 0);
      containment.dissolve(mark);
      containment.killEnclosed(mark);
      expect(await processes.identify(alone.pid)).not.toBeNull();
      alone.process.kill('SIGKILL');
      // A name that leads elsewhere is none.
      expect(containment.enclose('../x', () => 7)).toBe(7);
      expect(await containment.marked('REEVE_TEST', '..')).toEqual([]);
    },
  );

  it("leaves Node's own children to Node, whatever number it is given", async () => {
    const child = await startNode(idle);
    const ended = once(child.process, 'exit');
    for (const number of [0, -1, process.pid, 1, Number.NaN, 1.5])
      expect(containment.reap(number)).toBe(false);
    child.process.kill('SIGTERM');
    for (const number of [0, -1]) expect(containment.reap(number)).toBe(false);
    expect(await ended).toEqual([null, 'SIGTERM']);
  });
});

describe('an entry of an environment', () => {
  const block = Buffer.from('A=1\0RUN=x\0LONG=RUN=x!\0RUN=y');
  it.each([
    ['RUN=x', true],
    ['RUN=y', true],
    ['A=1', true],
    ['A=', false],
    ['UN=x', false],
    ['RUN=x!', false],
    ['RUN', false],
  ])('%s: %s', (entry, found) => {
    expect(hasEntry(block, Buffer.from(entry))).toBe(found);
    expect(hasEntry(null, Buffer.from(entry))).toBe(false);
  });
});

it('is refused, or does nothing, where there is no such thing', async () => {
  const { containment } = createUnsupportedSystem('plan9');
  expect(containment.abilities).toEqual({
    adoptsOrphans: false,
    findsMarked: false,
    endsWithThis: false,
    encloses: false,
  });
  expect(containment.adoptOrphans()).toBe(false);
  expect(containment.zombies()).toEqual([]);
  expect(containment.reap(1)).toBe(false);
  await expect(containment.marked('A', '1')).rejects.toMatchObject({ code: 'unsupported' });
});
