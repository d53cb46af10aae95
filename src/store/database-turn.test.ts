// Waiting for the turn to write: the thread goes on, a signal is heard, and who was refused leaves nothing half done.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Sqlite from 'libsql';
import { expect, it, onTestFinished } from 'vitest';
import { openDatabase } from './database.ts';

const migrations = ['create table t (x integer) strict'];

async function files(busyMs = 20_000) {
  const folder = mkdtempSync(path.join(tmpdir(), 'reeve-turn-'));
  const file = path.join(folder, 'a.db');
  const database = await openDatabase(file, { migrations, busyMs });
  const other = new Sqlite(file, {});
  onTestFinished(() => {
    database.close();
    other.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return { database, other, add: (x: number) => () => database.run('insert into t values (?)', x) };
}

const none = new AbortController().signal;

it('waits without blocking, and comes when the other has done', async () => {
  const { database, other, add } = await files();
  other.exec('begin immediate');
  let ticks = 0;
  const timer = setInterval(() => {
    ticks += 1;
    if (ticks === 20) other.exec('insert into t values (1); commit');
  }, 5);
  onTestFinished(() => clearInterval(timer));
  expect(await database.inTurn(add(2), { eager: true }, none)).toBe(1);
  expect(ticks).toBeGreaterThanOrEqual(20);
  expect(database.all('select x from t')).toEqual([{ x: 1 }, { x: 2 }]);
  // Nothing of the refused tries is left: the other can write at once.
  other.exec('insert into t values (3)');
});

it('hears the signal, and gives up after its time', async () => {
  const { database, other, add } = await files(300);
  other.exec('begin immediate');
  const stop = new AbortController();
  const waiting = database.inTurn(add(1), {}, stop.signal);
  setTimeout(() => stop.abort(), 30);
  await expect(waiting).rejects.toMatchObject({ code: 'aborted' });
  await expect(database.inTurn(add(1))).rejects.toMatchObject({ code: 'timeout' });
  expect(() => database.transaction(add(1))).toThrow(/is busy/);
  other.exec('commit');
  expect(await database.inTurn(add(4))).toBe(1);
  other.exec('insert into t values (5)');
  expect(database.all('select x from t')).toEqual([{ x: 4 }, { x: 5 }]);
});

it('takes back all of a piece of work that throws', async () => {
  const { database, add } = await files();
  const half = () => {
    add(1)();
    throw new Error('half-way');
  };
  await expect(database.inTurn(half)).rejects.toThrow('half-way');
  expect(database.all('select x from t')).toEqual([]);
});
