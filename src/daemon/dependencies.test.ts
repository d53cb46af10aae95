// The order among services, as pure rules.
import { expect, test } from 'vitest';
import type { InstanceState } from '../supervise/index.ts';
import { blockedBy, isAwaited, isComing, stopInOrder } from './dependencies.ts';

const one = (name: string, state: InstanceState, pid: number | null = 1, reason: string | null = null) => ({
  ...{ name, state, pid, reason },
});
const config = (dependsOn: Parameters<typeof blockedBy>[0]['dependsOn']) => ({ dependsOn });

test.each([
  ['healthy', [one('db/0', 'up')], null],
  ['healthy', [one('db/0', 'up'), one('db/1', 'starting')], 'waits for db to be healthy: db/1 is starting'],
  ['healthy', [one('db/0', 'finished', null)], 'waits for db to be healthy: db/0 is finished'],
  ['started', [one('db/0', 'starting')], null],
  ['started', [one('db/0', 'starting', null)], 'waits for db to be started: db/0 is starting'],
  ['started', [one('db/0', 'finished', null)], null],
  ['finished', [one('db/0', 'finished', null)], null],
  ['finished', [one('db/0', 'up')], 'waits for db to be finished: db/0 is up'],
  [
    'finished',
    [one('db/0', 'backoff', null, 'exit code 1')],
    'waits for db to be finished: db/0 is backoff (exit code 1)',
  ],
  ['healthy', [one('db/0', 'waiting', null, 'waits for x')], 'waits for db to be healthy: db/0 is waiting'],
  ['started', [], 'waits for db to be started: it has no instances'],
] as const)('%s', (condition, instances, missing) => {
  expect(blockedBy(config({ db: condition }), () => [...instances])).toBe(missing);
});

test('a service that is not there yet is missing', () => {
  expect(blockedBy(config({ db: 'started' }), () => null)).toMatch(/no instances/);
  expect(blockedBy(config({}), () => null)).toBeNull();
});

test.each([
  ['starting', null, false, 'up', true],
  ['up', null, false, 'up', false],
  ['up', null, false, 'finished', true],
  ['finished', null, false, 'finished', false],
  ['backoff', null, false, 'finished', false],
  ['waiting', 'dependency', true, 'up', false],
  ['waiting', 'dependency', false, 'up', true],
  ['waiting', 'port', false, 'up', false],
] as const)('%s (%s, blocked: %s, goal: %s) is coming: %s', (state, waitsFor, blocked, goal, coming) => {
  expect(isComing({ state, waitsFor }, blocked, goal)).toBe(coming);
});

test('a oneshot is awaited by whoever needs it finished', () => {
  expect(isAwaited('setup', [config({ setup: 'finished' })])).toBe(true);
  expect(isAwaited('setup', [config({ setup: 'started', db: 'finished' })])).toBe(false);
});

test('each stops once, after everybody who depends on it; those apart from each other at the same time', async () => {
  const log: string[] = [];
  const order = new Map([
    ['db', []],
    ['api', ['db']],
    ['web', ['api', 'db']],
    ['job', ['db', 'elsewhere']],
  ]);
  await stopInOrder(order, async (name) => {
    log.push(`${name}…`);
    await Promise.resolve();
    log.push(name);
  });
  expect([...log].sort()).toHaveLength(8);
  expect(log.indexOf('db…')).toBe(6);
  expect(log.indexOf('api…')).toBeGreaterThan(log.indexOf('web'));
  expect(log.indexOf('job…')).toBeLessThan(log.indexOf('api…'));
});
