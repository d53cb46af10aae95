// Adding up what workers report, also when one of them dies.
import { expect, it } from 'vitest';
import type { ConnectionEnd, EngineReports, Target } from '../engine.ts';
import { NewsDesk } from './news.ts';
import type { News } from './protocol.ts';
import { pass } from './reports.ts';
import { Tally } from './tally.ts';
import { Visit } from './visit.ts';

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
const nothing = () => {};
const silent: EngineReports = {
  opened: nothing,
  refused: nothing,
  received: nothing,
  sent: nothing,
  datagram: nothing,
  targetFailed: nothing,
  targetTook: nothing,
  ended: nothing,
};

/** A connection to target `a` that is over after a millisecond, by the name of its client. */
class Done extends Visit {
  constructor(name: string) {
    super();
    this.address = name;
    this.place = { ...target('a'), slot: null, sockaddr: null, failed() {} };
    this.connectMs = 1;
    this.ending = 'done';
  }
}

function visits() {
  const known = new Map<string, Done>();
  return (client: string) => known.get(client) ?? known.set(client, new Done(client)).get(client)!;
}

function deskOf(named: boolean): NewsDesk {
  return new NewsDesk(
    { id: 1, named },
    () => [],
    () => 0,
    () => {},
  );
}

function newsOf(desk: NewsDesk): News {
  const news = desk.take();
  if (!news) throw new Error('no news');
  return news;
}

it('counts what is open, and what ended within one report', () => {
  const visit = visits();
  const desk = deskOf(true);
  const tally = new Tally<string>();
  desk.connectionOpened(visit('one'));
  desk.connectionOpened(visit('two'));
  desk.ended(visit('two'), 1);
  const first = newsOf(desk);
  expect(first).toMatchObject({
    opened: ['one:0'],
    ends: [[1, 'two:0', 'a', 'done', 0, 0, 1000, 1000, 0, null]],
  });
  tally.take('worker', first);
  expect(tally.active).toBe(1);
  expect(desk.take()).toBeNull();
  desk.ended(visit('one'), 1);
  tally.take('worker', newsOf(desk));
  expect(tally.active).toBe(0);
});

it('tells what became of attempts in their order, and successes that follow each other as one', () => {
  const visit = visits();
  const desk = deskOf(true);
  desk.connectionOpened(visit('x'));
  desk.targetFailed('a', 'ECONNREFUSED');
  desk.ended(visit('x'), 1);
  desk.ended(visit('x'), 1);
  desk.targetFailed('a', 'ETIMEDOUT');
  desk.ended(visit('x'), 1);
  expect(newsOf(desk).outcomes).toEqual([
    ['a', 'ECONNREFUSED'],
    ['a', null],
    ['a', 'ETIMEDOUT'],
    ['a', null],
  ]);
  desk.ended(visit('x'), 1);
  expect(newsOf(desk).outcomes).toEqual([['a', null]]);
});

it('counts what is too much to list', () => {
  const visit = visits();
  const desk = deskOf(true);
  const tally = new Tally<string>();
  for (let i = 0; i < 10_500; i++) desk.connectionOpened(visit(`client ${i}`));
  for (let i = 0; i < 10_400; i++) desk.ended(visit(`client ${i}`), 1);
  const news = newsOf(desk);
  expect(news.ends).toHaveLength(10_000);
  expect(news.unlisted.ended).toEqual([['done', 400]]);
  tally.take('worker', news);
  expect(tally.active).toBe(100);
});

it('only counts and times connections where nobody asks whose they were', () => {
  const visit = visits();
  const desk = deskOf(false);
  const tally = new Tally<string>();
  desk.connectionOpened(visit('x'));
  desk.connectionOpened(visit('y'));
  desk.ended(visit('x'), 2);
  const news = newsOf(desk);
  expect(news).toMatchObject({ opened: [], ends: [], outcomes: [['a', null]] });
  expect(news.unlisted).toEqual({ opened: 2, refused: [], ended: [['done', 1]], times: [2000, 1000] });
  tally.take('worker', news);
  expect(tally.active).toBe(1);
  const ends: ConnectionEnd[] = [];
  pass('web', news, { ...silent, ended: (_listener, end) => ends.push(end) });
  expect(ends).toMatchObject([{ client: 'unlisted', reason: 'done', ms: 2, connectMs: 1 }]);
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
    unlisted: { opened: 0, refused: [], ended: [], times: [] },
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
