// Adding up what workers report, also when one of them dies.
import { expect, it } from 'vitest';
import type { Target } from '../engine.ts';
import { NewsDesk } from './news.ts';
import type { News } from './protocol.ts';
import { Tally } from './tally.ts';

const target = (id: string): Target => ({
  id,
  host: '127.0.0.1',
  port: 1,
  weight: 1,
  backup: false,
  verdict: 'up',
  draining: false,
  max: null,
});
const counts = (id: string, active: number, total: number, failures = 0) => ({ id, active, total, failures });
const end = (client: string) =>
  ({
    client,
    target: 'a',
    reason: 'done',
    received: 0,
    sent: 0,
    ms: 1,
    connectMs: 1,
    retries: 0,
    detail: null,
  }) as const;

/** A connection by the name of its client. */
function visits() {
  const known = new Map<string, { caller: string }>();
  return (client: string) => known.get(client) ?? known.set(client, { caller: client }).get(client)!;
}

function newsOf(desk: NewsDesk): News {
  const news = desk.take();
  if (!news) throw new Error('no news');
  return news;
}

it('counts what is open, and what ended within one report', () => {
  const visit = visits();
  const desk = new NewsDesk(
    1,
    () => [],
    () => 0,
    () => {},
  );
  const tally = new Tally<string>();
  desk.connectionOpened(visit('one'));
  desk.connectionOpened(visit('two'));
  desk.ended(visit('two'), end('two'));
  const first = newsOf(desk);
  expect(first).toMatchObject({
    opened: ['one'],
    ends: [[1, 'two', 'a', 'done', 0, 0, 1000, 1000, 0, null]],
  });
  tally.take('worker', first);
  expect(tally.active).toBe(1);
  expect(desk.take()).toBeNull();
  desk.ended(visit('one'), end('one'));
  tally.take('worker', newsOf(desk));
  expect(tally.active).toBe(0);
});

it('tells what became of attempts in their order, and successes that follow each other as one', () => {
  const visit = visits();
  const desk = new NewsDesk(
    1,
    () => [],
    () => 0,
    () => {},
  );
  desk.connectionOpened(visit('x'));
  desk.targetFailed('a', 'ECONNREFUSED');
  desk.ended(visit('x'), end('x'));
  desk.ended(visit('x'), end('x'));
  desk.targetFailed('a', 'ETIMEDOUT');
  desk.ended(visit('x'), end('x'));
  expect(newsOf(desk).outcomes).toEqual([
    ['a', 'ECONNREFUSED'],
    ['a', null],
    ['a', 'ETIMEDOUT'],
    ['a', null],
  ]);
  desk.ended(visit('x'), end('x'));
  expect(newsOf(desk).outcomes).toEqual([['a', null]]);
});

it('counts what is too much to list', () => {
  const visit = visits();
  const desk = new NewsDesk(
    1,
    () => [],
    () => 0,
    () => {},
  );
  const tally = new Tally<string>();
  for (let i = 0; i < 10_500; i++) desk.connectionOpened(visit(`client ${i}`));
  for (let i = 0; i < 10_400; i++) desk.ended(visit(`client ${i}`), end(`client ${i}`));
  const news = newsOf(desk);
  expect(news.ends).toHaveLength(10_000);
  expect(news.unlisted.ended).toEqual([['done', 400]]);
  tally.take('worker', news);
  expect(tally.active).toBe(100);
});

it('keeps the totals of a worker that is gone, and forgets its connections', () => {
  const tally = new Tally<string>();
  const news = (targets: News['targets'], opened: string[]) => ({
    id: 1,
    received: 0,
    sent: 0,
    opened,
    refused: [],
    outcomes: [],
    waiting: 0,
    ends: [],
    unlisted: { opened: 0, refused: [], ended: [] },
    targets,
  });
  tally.take('first', news([counts('a', 2, 5, 1)], ['x', 'y']));
  tally.take('second', news([counts('a', 1, 1), counts('old', 1, 9)], ['z']));
  expect(tally.targets([target('a'), target('b')])).toEqual([
    counts('a', 3, 6, 1),
    counts('b', 0, 0),
    counts('old', 1, 9),
  ]);
  expect(tally.drop('first')).toBe(2);
  expect(tally.drop('first')).toBe(0);
  expect(tally.active).toBe(1);
  expect(tally.targets([target('a')])).toEqual([counts('a', 1, 6, 1), counts('old', 1, 9)]);
});
