// Services as real processes: started, found up, started again, stopped without a trace.
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { systemClock } from '../../src/core/context.ts';
import { selectSystem } from '../../src/system/select.ts';
import { needs } from '../support/parts.ts';
import { freePort, isAlive, program, serviceConfig, supervised, untilGone } from './supervise-support.ts';

test('an instance starts on its own port and becomes up', async () => {
  const { service, first, events, allUp, taken } = supervised(serviceConfig());
  expect(first()).toMatchObject({ name: 'api/0', index: 0, state: 'starting', restarts: 0, lastExit: null });
  await allUp(1);
  const { pid, ports, verdict, startedAt } = first();
  expect(isAlive(pid!)).toBe(true);
  expect(verdict).toBe('up');
  expect(startedAt).toBeLessThanOrEqual(Date.now());
  expect([...taken]).toEqual([ports.http]);
  const response = await fetch(`http://127.0.0.1:${ports.http}/`);
  expect(response.status).toBe(200);
  expect(events.map(({ kind, subject, message }) => [kind, subject, message.split(' ')[0]])).toEqual([
    ['instance', 'service/api/0', 'started'],
    ['instance', 'service/api/0', 'ready'],
  ]);
  await service.stop();
});

test('stop leaves no process, no port and no check', async () => {
  const { service, allUp, taken, events } = supervised(serviceConfig([], { instances: 2 }));
  await allUp(2);
  const pids = service.instances().map(({ pid }) => pid!);
  await service.stop();
  expect(pids.map(isAlive)).toEqual([false, false]);
  expect(taken.size).toBe(0);
  expect(service.instances().map(({ state, pid }) => [state, pid])).toEqual([
    ['stopped', null],
    ['stopped', null],
  ]);
  expect(events.filter(({ message }) => message === 'stopped')).toHaveLength(2);
  const told = events.length;
  await service.update(serviceConfig([], { instances: 3 }));
  expect(events.length, 'nothing happens after stop').toBe(told);
});

test('killed -9, it is down in that very turn, then starts again with another PID on the same port', async () => {
  const { service, first, until, allUp, events } = supervised(serviceConfig());
  await allUp(1);
  const before = first();
  const seen: string[] = [];
  const leave = service.onChange(() => seen.push(`${first().state} ${first().verdict} ${first().pid}`));
  process.kill(before.pid!, 'SIGKILL');
  await until('it is up again', ([one]) => one!.state === 'up' && one!.pid !== before.pid);
  leave();
  expect(seen[0]).toBe('backoff down null');
  expect(first()).toMatchObject({ ports: before.ports, restarts: 1, lastExit: 'killed by SIGKILL' });
  expect(events.find(({ kind }) => kind === 'restart')!.message).toMatch(
    /^starts again in .+: killed by SIGKILL$/,
  );
});

test('killed while the kernel ran out of memory, it is said so', async () => {
  let kills = 4;
  const { first, until, allUp } = supervised(serviceConfig(), { memoryKills: () => kills });
  await allUp(1);
  kills += 1;
  process.kill(first().pid!, 'SIGKILL');
  await until('it is up again', ([one]) => one!.state === 'up' && one!.restarts === 1);
  const words = 'killed by SIGKILL; since its start the kernel has ended 1 process for want of memory';
  expect(first().history.map(({ detail }) => detail)).toEqual([words]);
});

test.runIf(needs('the kernel’s own count', 'linux'))('the kernel counts whom it has ended so', async () => {
  expect((await selectSystem()).memoryKills!()).toBeGreaterThanOrEqual(0);
});

test('a program that always fails is recognised as crash-looping, once, and tried at the longest delay', async () => {
  const restart = { backoff: { min: 10, max: 50 }, limit: { count: 3, perMs: 60_000 } };
  const { until, first, events } = supervised(serviceConfig(['crash'], { restart }));
  await until('it loops', ([one]) => one!.state === 'crash-looping');
  expect(first()).toMatchObject({ lastExit: 'exit code 7', verdict: 'down', pid: null });
  expect(first().nextStartAt! - Date.now()).toBeLessThanOrEqual(50);
  const { restarts } = first();
  await until('it was tried again', ([one]) => one!.state === 'crash-looping' && one!.restarts > restarts);
  const loops = events.filter(({ message }) => message.startsWith('crash-looping'));
  expect(loops.map(({ message }) => message)).toEqual([
    'crash-looping: more than 3 starts in 1m, last: exit code 7; from now on one try in 50ms. See why: reeve logs api/0',
  ]);
});

test('the time that an unhealthy instance takes to end does not count as health', async () => {
  let skew = 0;
  const clock = { ...systemClock, monotonic: () => systemClock.monotonic() + skew };
  const restart = { backoff: { min: 10, max: 50_000 }, limit: { count: 1, perMs: 3_600_000 } };
  const stop = { signal: 'SIGTERM', timeout: 200, drain: 0 } as const;
  const run = supervised(serviceConfig(['ignore-term'], { restart, stop }), { clock });
  for (const state of ['backoff', 'crash-looping']) {
    await run.allUp(1);
    await fetch(`http://127.0.0.1:${run.first().ports.http}/sicken`);
    await run.until('it is being ended', ([one]) => one!.state === 'down');
    skew += 60_000;
    await run.until(state, ([one]) => one!.state === state);
  }
  expect(run.first().history.map(({ reason }) => reason)).toEqual(['failed-check', 'failed-check']);
});

test('a program that does not heed SIGTERM is killed after its time', async () => {
  const stop = { signal: 'SIGTERM', timeout: 300, drain: 0 } as const;
  const { service, allUp, first, lines } = supervised(serviceConfig(['ignore-term'], { stop }));
  await allUp(1);
  const { pid } = first();
  await service.stop();
  expect(isAlive(pid!)).toBe(false);
  expect(first().lastExit).toBe('killed by SIGKILL, since it had not ended 300ms after SIGTERM');
  expect(lines).toContain('api/0: asked to stop, and does not');
});

test('the grandchildren end with it: when it is stopped, and when it dies by itself', async () => {
  const { service, allUp, first, until, lines } = supervised(serviceConfig(['grandchild']));
  const grandchildren = () => lines.flatMap((line) => line.match(/grandchild (\d+)/)?.[1] ?? []).map(Number);
  await allUp(1);
  const { pid } = first();
  process.kill(pid!, 'SIGKILL');
  await untilGone(grandchildren()[0]!);
  await until('it is up again', ([one]) => one!.state === 'up' && one!.pid !== pid);
  expect(grandchildren()).toHaveLength(2);
  await service.stop();
  await untilGone(grandchildren()[1]!);
});

test('a server behind a shell gets its time to stop, although the shell ends at once', async () => {
  const config = serviceConfig(['slow-stop']);
  const quoted = config.command.map((word) => `'${word}'`).join(' ');
  const { service, allUp, lines } = supervised({ ...config, command: ['/bin/sh', '-c', `${quoted}; true`] });
  await allUp(1);
  await service.stop();
  expect(lines.slice(-2)).toEqual(['api/0: stopping slowly', 'api/0: stopped cleanly']);
});

test.each([
  [
    'a missing program',
    { command: ['/nonexistent/program'] },
    /there is no program '\/nonexistent\/program'/,
  ],
  ['a program that may not be executed', { command: [program] }, /server\.mjs' may not be executed/],
  ['a missing folder', { cwd: './nowhere' }, /there is no folder '.*nowhere'/],
  ['an argument with NUL', { command: [process.execPath, 'a\0b'] }, /null bytes/],
])('%s is told as such and tried again later', async (_, changes, words) => {
  const { until, first, events } = supervised(serviceConfig([], changes));
  await until('it was tried again', ([one]) => one!.restarts >= 1 && one!.state === 'backoff');
  expect(first().lastExit).toMatch(/^could not start: /);
  expect(first().lastExit).toMatch(words);
  expect(events[0]).toMatchObject({ kind: 'restart', message: expect.stringMatching(words) });
});

test.each([
  ['exec /nonexistent/program', {}, 'exit code 127 (of a shell: command not found)'],
  ['exec /', {}, 'exit code 126 (of a shell: command may not be executed)'],
  ["/bin/sh -c 'kill -KILL $$'; exit $?", {}, 'exit code 137 (of a shell: killed by SIGKILL)'],
  ['exit 3', { limits: { nice: 1 } }, 'exit code 3'],
])('what the exit code of a shell means is said: %s', async (script, changes, words) => {
  const run = supervised(serviceConfig([], { command: ['/bin/sh', '-c', script], ...changes }));
  await run.until('it has failed', ([one]) => one!.history.length > 0);
  expect(run.first().history[0]!.detail).toBe(words);
});

test("its environment is reeve's without what was meant for reeve, with its own and its ports", async () => {
  const env = {
    PATH: process.env.PATH,
    NOTIFY_SOCKET: '/run/x',
    LISTEN_FDS: '1',
    WATCHDOG_USEC: '5',
    KEPT: '1',
  };
  const config = serviceConfig(['{port}', '{port.admin}'], {
    env: { COLOR: 'red' },
    ports: { http: 'auto', admin: 'auto' },
    cwd: '../fixtures',
  });
  const { allUp, first } = supervised(config, { env });
  await allUp(1);
  const { http, admin } = first().ports;
  const response = await fetch(`http://127.0.0.1:${http}/env`);
  const seen = (await response.json()) as Record<string, unknown>;
  expect(seen.env).toEqual({
    PATH: process.env.PATH,
    KEPT: '1',
    COLOR: 'red',
    PORT: String(http),
    PORT_HTTP: String(http),
    PORT_ADMIN: String(admin),
    REEVE_RUN: expect.stringMatching(/^[0-9a-f-]{36}$/),
  });
  expect(seen.argv).toEqual([String(http), String(admin)]);
  expect(seen.cwd).toMatch(/test.fixtures$/);
  expect(admin).not.toBe(http);
});

test('an instance that goes down by its check is started again, with the reason', async () => {
  const { allUp, first, until, events } = supervised(serviceConfig());
  await allUp(1);
  const { pid, ports } = first();
  await fetch(`http://127.0.0.1:${ports.http}/sicken`);
  await until('it is up again', ([one]) => one!.state === 'up' && one!.pid !== pid);
  expect(first().ports).toEqual(ports);
  const { message } = events.find(({ kind }) => kind === 'restart')!;
  expect(message).toMatch(/: unhealthy: down: 2 of 2 probes failed, last: 503 Service Unavailable/);
});

test('a port that a stranger took meanwhile is given up for another', async () => {
  const { allUp, first, until } = supervised(
    serviceConfig([], {
      restart: { backoff: { min: 600, max: 600 }, limit: { count: 1000, perMs: 60_000 } },
    }),
  );
  await allUp(1);
  const { pid, ports } = first();
  process.kill(pid!, 'SIGKILL');
  await until('it has ended', ([one]) => one!.state === 'backoff');
  const stranger = createServer();
  await new Promise<void>((resolve) => stranger.listen(ports.http, '127.0.0.1', resolve));
  await until('it is up again', ([one]) => one!.state === 'up' && one!.pid !== pid);
  expect(first().ports.http).not.toBe(ports.http);
  await new Promise((resolve) => stranger.close(resolve));
});

test('a fixed port that is held is waited for, its holder named once, and no restart is spent', async () => {
  const stranger = createServer();
  const port = await freePort();
  await new Promise<void>((resolve) => stranger.listen(port, '127.0.0.1', resolve));
  const { allUp, first, until, events } = supervised(serviceConfig([], { ports: { http: port } }));
  await until('it waits', ([one]) => one!.state === 'waiting');
  const { message } = events[0]!;
  expect(message).toMatch(
    new RegExp(
      `^port ${port} \\(http\\) is held by PID ${process.pid} \\(.+\\): it waits .+ reeve free ${port}$`,
    ),
  );
  expect(first()).toMatchObject({ waitsFor: 'port', reason: message, pid: null });
  await new Promise((resolve) => stranger.close(resolve));
  await allUp(1);
  expect(first()).toMatchObject({ ports: { http: port }, restarts: 0, history: [] });
  expect(events.filter(({ kind }) => kind === 'conflict')).toHaveLength(1);
});
