// Waiting for the turn to write: the event loop goes on, a signal is heard, and who was refused leaves nothing half done.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import { expect, it, onTestFinished } from 'vitest';
import { openDatabase } from './database.ts';

const migrations = ['create table t (x integer) strict'];

async function files(busyMs = 20_000) {
  const folder = mkdtempSync(path.join(tmpdir(), 'reeve-turn-'));
  const file = path.join(folder, 'a.db');
  const database = await openDatabase(file, { migrations, busyMs });
  const other = new DatabaseSync(file);
  onTestFinished(() => {
    database.close();
    other.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const add = (x: number) => () => database.run('insert into t values (?)', x);
  return { database, other, add };
}

it('waits without stopping the event loop, and comes when the other has done', async () => {
  const { database, other, add } = await files();
  other.exec('begin immediate');
  let ticks = 0;
  const timer = setInterval(() => {
    ticks += 1;
    if (ticks === 4) other.exec('insert into t values (1); commit');
  }, 5);
  onTestFinished(() => clearInterval(timer));
  expect(await database.inTurn(add(2))).toBe(1);
  expect(ticks).toBeGreaterThanOrEqual(4);
  expect(database.all('select x from t')).toEqual([{ x: 1 }, { x: 2 }]);
});

it('hears the signal, and gives up after its time', async () => {
  const { database, other, add } = await files(300);
  other.exec('begin immediate');
  const stop = new AbortController();
  const waiting = database.inTurn(add(1), stop.signal);
  setTimeout(() => stop.abort(), 30);
  await expect(waiting).rejects.toMatchObject({ code: 'aborted' });
  await expect(database.inTurn(add(1))).rejects.toMatchObject({ code: 'timeout' });
  expect(() => database.transaction(add(1))).toThrow(/is busy/);
  other.exec('commit');
  expect(await database.inTurn(add(2))).toBe(1);
});

it('keeps no lock after it was refused: what it writes then is there for others, who can write', async () => {
  const { database, other, add } = await files(100);
  const update = () => database.all('update t set x = x + 1 returning x');
  other.exec('insert into t values (1); begin immediate');
  await expect(database.inTurn(update)).rejects.toMatchObject({ code: 'timeout' });
  expect(() => database.transaction(add(9))).toThrow(/is busy/);
  other.exec('commit');
  expect(await database.inTurn(add(2))).toBe(1);
  expect(other.prepare('select count(*) as n from t').get()).toMatchObject({ n: 2 });
  other.exec('insert into t values (3)');
  expect(await database.inTurn(update)).toEqual([{ x: 2 }, { x: 3 }, { x: 4 }]);
});

it('takes back all of a transaction that throws', async () => {
  const { database, add } = await files();
  const half = () =>
    database.transaction(() => {
      add(1)();
      throw new Error('half-way');
    });
  await expect(database.inTurn(half)).rejects.toThrow('half-way');
  expect(database.all('select x from t')).toEqual([]);
});
