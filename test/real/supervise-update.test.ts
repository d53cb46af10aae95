// Changing a running service: more, fewer, other instances, and one at a time.
import { expect, test } from 'vitest';
import { isAlive, serviceConfig, supervised } from './supervise-support.ts';

const pidsOf = (instances: { pid: number | null }[]) => instances.map(({ pid }) => pid!);

test('more or fewer instances touch only the difference', async () => {
  const { service, allUp, taken } = supervised(serviceConfig());
  await allUp(1);
  const [first] = pidsOf(service.instances());
  await service.update(serviceConfig([], { instances: 3 }));
  await allUp(3);
  const three = pidsOf(service.instances());
  expect(three[0]).toBe(first);
  expect(new Set(service.instances().map(({ ports }) => ports.http)).size).toBe(3);
  await service.update(serviceConfig([], { instances: 1 }));
  expect(pidsOf(service.instances())).toEqual([first]);
  expect(three.map(isAlive)).toEqual([true, false, false]);
  expect(taken.size).toBe(1);
  await service.update(serviceConfig([], { instances: 0 }));
  expect(service.instances()).toEqual([]);
  expect(isAlive(first!)).toBe(false);
});

test('a change of the check, restart or stop alone starts nothing anew', async () => {
  const { service, allUp, first, until } = supervised(serviceConfig());
  await allUp(1);
  const { pid } = first();
  const config = serviceConfig([], { stop: { signal: 'SIGINT', timeout: 5000, drain: 0 } });
  await service.update({ ...config, check: { ...config.check, http: undefined, tcp: true } });
  await until('the new check has an answer', ([one]) => one!.verdict === 'up');
  expect(first()).toMatchObject({ pid, state: 'up', restarts: 0 });
  await service.stop();
  expect(first().lastExit).toBe('killed by SIGINT');
});

test('a new environment replaces the instances one after another, on their ports, so that one always serves', async () => {
  const { service, allUp } = supervised(serviceConfig([], { instances: 3 }));
  await allUp(3);
  const before = service.instances();
  let fewest = 3;
  service.onChange(() => {
    fewest = Math.min(fewest, service.instances().filter(({ state }) => state === 'up').length);
  });
  await service.update(serviceConfig([], { instances: 3, env: { VERSION: '2' } }));
  await allUp(3);
  expect(fewest).toBe(2);
  const after = service.instances();
  expect(after.map(({ ports }) => ports)).toEqual(before.map(({ ports }) => ports));
  expect(pidsOf(after).filter((pid) => pidsOf(before).includes(pid))).toEqual([]);
  for (const { ports } of after) {
    const response = await fetch(`http://127.0.0.1:${ports.http}/env`);
    expect(((await response.json()) as { env: object }).env).toMatchObject({ VERSION: '2' });
  }
});

test('a replacement that does not come up ends the roll: the others go on serving as they were', async () => {
  const restart = { backoff: { min: 10, max: 20 }, limit: { count: 2, perMs: 60_000 } };
  const { service, allUp, until } = supervised(serviceConfig([], { instances: 2, restart }));
  await allUp(2);
  const [, second] = pidsOf(service.instances());
  await expect(service.update(serviceConfig(['crash'], { instances: 2, restart }))).rejects.toMatchObject({
    code: 'timeout',
    message: expect.stringMatching(/^api\/0 did not come up: it is crash-looping \(exit code 7\)/),
  });
  expect(service.instances()[1]).toMatchObject({ pid: second, state: 'up' });
  await service.update(serviceConfig([], { instances: 2, restart }));
  await until('both are up', (all) => all.every(({ state }) => state === 'up'));
  expect(service.instances()[1]!.pid, 'it had never been changed').toBe(second);
});

test('a newer configuration is taken up at once, whatever became of the one before', async () => {
  // Between two tries more time than anybody waits for one to come up.
  const restart = { backoff: { min: 40_000, max: 60_000 }, limit: { count: 10, perMs: 60_000 } };
  const { service, allUp, first, until } = supervised(serviceConfig([], { restart }));
  await allUp(1);
  const broken = service.update(serviceConfig(['crash'], { restart }));
  await until('it has failed', ([one]) => one!.nextStartAt !== null);
  await service.update(serviceConfig([], { restart, env: { VERSION: '3' } }));
  await broken;
  expect(first().state).toBe('up');
  expect(first().history.map(({ reason }) => reason)).toEqual(['configuration', 'exit', 'configuration']);
});

test('one that fails again and again is given up before it counts as crash-looping', async () => {
  const { service, allUp, first } = supervised(serviceConfig());
  await allUp(1);
  await expect(service.update(serviceConfig(['crash']))).rejects.toMatchObject({
    message: 'api/0 did not come up: it is backoff (exit code 7)',
  });
  expect(first().restarts).toBeLessThan(10);
});

test('a port that is added or removed is handed out or given back', async () => {
  const { service, allUp, first, taken } = supervised(serviceConfig());
  await allUp(1);
  const { http } = first().ports;
  await service.update(serviceConfig([], { ports: { admin: 'auto', http: 'auto' } }));
  await allUp(1);
  expect(Object.keys(first().ports)).toEqual(['admin', 'http']);
  expect(first().ports.http).toBe(http);
  expect(taken.size).toBe(2);
  await service.update(serviceConfig([], { ports: { admin: 'auto' } }));
  expect(taken.size).toBe(1);
});

test('restart replaces what was asked for, and nothing that is not there', async () => {
  const { service, allUp, events } = supervised(serviceConfig([], { instances: 2 }));
  await allUp(2);
  const before = pidsOf(service.instances());
  await service.restart(1);
  await allUp(2);
  const after = pidsOf(service.instances());
  expect(after[0]).toBe(before[0]);
  expect(after[1]).not.toBe(before[1]);
  await service.restart();
  await allUp(2);
  expect(pidsOf(service.instances()).filter((pid) => after.includes(pid))).toEqual([]);
  expect(events.filter(({ kind }) => kind === 'restart').map(({ message }) => message)).toEqual([
    'asked for',
    'asked for',
    'asked for',
  ]);
  await expect(service.restart(2)).rejects.toMatchObject({ code: 'not-found' });
});

test('stop in the middle of everything leaves nothing behind', async () => {
  const { service, until, taken, events } = supervised(serviceConfig([], { instances: 2 }));
  await until('one is up', (all) => all.some(({ state }) => state === 'up'));
  const updating = service.update(serviceConfig([], { instances: 4, env: { VERSION: '2' } }));
  const restarting = service.restart();
  await until('a replacement has begun', (all) => all.some(({ restarts }) => restarts > 0));
  await service.stop();
  await Promise.all([updating, restarting]);
  const pids = events.flatMap(({ detail }) => (typeof detail.pid === 'number' ? [detail.pid] : []));
  expect(pids.length).toBeGreaterThanOrEqual(4);
  expect(pids.filter(isAlive)).toEqual([]);
  expect(service.instances().every(({ state }) => state === 'stopped')).toBe(true);
  expect(taken.size).toBe(0);
});

test('stop while a restart waits for the old process starts no new one', async () => {
  const { service, allUp, first, until, events } = supervised(serviceConfig(['slow-stop']));
  await allUp(1);
  const restarting = service.restart();
  await until('the old process is being stopped', ([one]) => one!.state === 'stopping');
  await Promise.all([service.stop(), restarting]);
  expect(first()).toMatchObject({ state: 'stopped', pid: null });
  expect(events.filter(({ message }) => message.startsWith('started'))).toHaveLength(1);
});
