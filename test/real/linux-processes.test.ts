// Processes of Linux: facts of real ones, and signals that reach exactly the process that was meant.
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { createLinuxSystem } from '../../src/system/linux/index.ts';
import { startNode } from '../support/children.ts';
import { needs } from '../support/parts.ts';

const idle = `setInterval(() => {}, 1000); console.log('up')`;
const pidfd = () => createLinuxSystem().processes;
const byPid = () => createLinuxSystem({ noPidfd: true }).processes;

describe.runIf(needs('processes of Linux', 'linux'))('processes', () => {
  it('tells a name that is made to be misread', async () => {
    const name = 'a) S 1 (\nb';
    const child = await startNode(`process.title = ${JSON.stringify(name)}; ${idle}`);
    expect(await pidfd().facts(child.pid)).toMatchObject({ name, parent: process.pid });
    expect(await pidfd().list()).toContainEqual(expect.objectContaining({ pid: child.pid, name }));
  });

  it('tells the command, the folder and the start', async () => {
    const before = Date.now();
    const child = await startNode(idle, { cwd: tmpdir() });
    const facts = (await pidfd().facts(child.pid))!;
    expect(facts.command).toEqual([process.execPath, '-e', idle]);
    expect(facts.cwd).toBe(tmpdir());
    // The kernel keeps the boot time in whole seconds.
    expect(Math.abs(facts.startedAt!.getTime() - before)).toBeLessThan(3000);
  });

  it('tells the same start again, and another one for another process', async () => {
    const [one, two] = await Promise.all([startNode(idle), startNode(idle)]);
    const first = await pidfd().identify(one.pid);
    expect(await byPid().identify(one.pid)).toEqual(first);
    expect((await pidfd().identify(two.pid))!.pid).not.toBe(first!.pid);
  });

  it('is told by the kernel of an end, with no timer to wait for', async () => {
    const child = await startNode(idle);
    const identity = (await pidfd().identify(child.pid))!;
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    const ended = pidfd().exited(identity, new AbortController().signal);
    expect(timers()).toBe(before);
    child.process.kill('SIGKILL');
    await ended;
    expect(await pidfd().identify(child.pid)).toBeNull();
  });

  it('leaves no descriptor open', async () => {
    const child = await startNode(idle);
    const system = createLinuxSystem();
    const identity = (await system.processes.identify(child.pid))!;
    const once = async () => {
      const stop = new AbortController();
      const waiting = system.processes.exited(identity, stop.signal);
      stop.abort();
      await expect(waiting).rejects.toMatchObject({ code: 'aborted' });
      await system.processes.signal({ ...identity, start: 'other' }, 'SIGTERM');
      await system.sockets.table({ allNamespaces: true });
      await system.sockets.holders(new Set(['1']));
      await system.binder.attempt({
        protocol: 'tcp',
        address: '127.0.0.1',
        port: 0,
        reuse: true,
        v6only: false,
      });
    };
    await once();
    const { open } = (await system.host.facts()).descriptors;
    for (let i = 0; i < 20; i++) await once();
    expect((await system.host.facts()).descriptors.open).toBe(open);
  });
});

describe.runIf(needs('signals without privilege', 'linux', 'root'))('without privilege', () => {
  it.each([
    ['pidfd', pidfd],
    ['PID', byPid],
  ])('says whom it may not signal, by %s', async (_, create) => {
    // The test keeps root as its real user, which may signal root's processes whoever it acts as.
    const child = await startNode(idle, { uid: 54321, cwd: '/' });
    const processes = create();
    const identity = (await processes.identify(child.pid))!;
    process.seteuid!(65534);
    try {
      await expect(processes.signal(identity, 'SIGTERM')).rejects.toMatchObject({
        code: 'privilege',
        message: expect.stringMatching(new RegExp(`SIGTERM to node \\(PID ${child.pid}\\) of user 54321`)),
      });
      const facts = (await processes.facts(child.pid))!;
      expect(facts).toMatchObject({ uid: 54321, user: '54321', cwd: null });
    } finally {
      process.seteuid!(0);
    }
    expect(child.process.exitCode).toBeNull();
  });

  it('names users, known and unknown', async () => {
    const [nobody, stranger] = await Promise.all([
      startNode(idle, { uid: 65534, cwd: '/' }),
      startNode(idle, { uid: 54321, cwd: '/' }),
    ]);
    expect(await pidfd().facts(nobody.pid)).toMatchObject({ uid: 65534, user: 'nobody' });
    expect(await pidfd().facts(stranger.pid)).toMatchObject({ uid: 54321, user: '54321' });
  });

  it('waits for the end of a process of another user', async () => {
    const child = await startNode(idle);
    const identity = (await pidfd().identify(child.pid))!;
    process.seteuid!(65534);
    let ended: Promise<void>;
    try {
      ended = pidfd().exited(identity, AbortSignal.timeout(10_000));
    } finally {
      process.seteuid!(0);
    }
    const gone = once(child.process, 'exit');
    child.process.kill('SIGKILL');
    await Promise.all([ended, gone]);
  });
});
