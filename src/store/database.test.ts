// SQLite files: private, migrated once, atomic, and honest about what is wrong with them.
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startNode } from '../../test/support/children.ts';
import { needs } from '../../test/support/parts.ts';
import { type Database, openDatabase } from './index.ts';

const migrations = [
  'create table a (n integer) strict; create index a_n on a (n)',
  'create table b (t text) strict',
];
let folder: string;
let file: string;
const opened: Database[] = [];

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'reeve-store-'));
  file = path.join(folder, 'state', 'x.db');
});
afterEach(() => {
  for (const database of opened.splice(0)) database.close();
  rmSync(folder, { recursive: true, force: true });
});

async function open(options: Partial<Parameters<typeof openDatabase>[1]> = {}): Promise<Database> {
  const database = await openDatabase(file, { migrations, ...options });
  opened.push(database);
  return database;
}

it('gives values back as they were', async () => {
  const database = await open();
  for (const value of [0, -1, 2 ** 50, 1_795_296_255_978, null]) {
    expect(database.all('select ? as n', value)).toMatchObject([{ n: value }]);
  }
  expect(database.all('select ? as t', "it's ü 😀")).toMatchObject([{ t: "it's ü 😀" }]);
  expect(database.run('insert into a values (1), (2)')).toBe(2);
});

it('brings a file from any version to the newest, once', async () => {
  const old = await open({ migrations: migrations.slice(0, 1) });
  old.run('insert into a values (1)');
  old.close();
  const database = await open();
  expect(database.all('select n from a')).toMatchObject([{ n: 1 }]);
  expect(database.all('select * from b')).toEqual([]);
});

it('does all of a transaction or nothing', async () => {
  const database = await open();
  const failing = () =>
    database.transaction(() => {
      database.run('insert into a values (1)');
      throw new Error('no');
    });
  expect(failing).toThrow('no');
  expect(database.all('select * from a')).toEqual([]);
  database.transaction(() => database.run('insert into a values (2)'));
  expect(database.all('select n from a')).toMatchObject([{ n: 2 }]);
});

it('is opened by many at once when there is none yet', async () => {
  const all = await Promise.all(Array.from({ length: 10 }, () => open()));
  all.forEach((database, n) => {
    database.run('insert into a values (?)', n);
  });
  expect(all[0]!.all('select * from a')).toHaveLength(10);
});

it('waits for others, and says so when they take too long', async () => {
  const [one, two] = [await open(), await open({ busyMs: 50 })];
  const start = performance.now();
  one.transaction(() => {
    expect(() => two.run('insert into a values (1)')).toThrow(expect.objectContaining({ code: 'timeout' }));
  });
  expect(performance.now() - start).toBeGreaterThanOrEqual(50);
  two.run('insert into a values (1)');
});

it('brings its log home before it grows long, also where another process left it long', async () => {
  const database = await open();
  const size = () => statSync(`${file}-wal`).size;
  const line = 'x'.repeat(100_000);
  let longest = 0;
  for (let i = 0; i < 500; i++) {
    database.run('insert into b values (?)', line);
    longest = Math.max(longest, size());
  }
  expect(longest).toBeGreaterThan(4_000_000);
  expect(longest).toBeLessThan(30_000_000);
  const { DatabaseSync } = await import('@photostructure/sqlite');
  const other = new DatabaseSync(file);
  other.exec('pragma wal_autocheckpoint = 0');
  const insert = other.prepare('insert into b values (?)');
  while (size() < 20_000_000) insert.run(line);
  await open();
  expect(size()).toBe(0);
  other.close();
});

it('refuses a file of a newer version, or of something else', async () => {
  (await open({ migrations: [...migrations, 'create table c (n integer)'] })).close();
  await expect(open()).rejects.toMatchObject({
    code: 'config',
    message: expect.stringContaining('newer reeve'),
  });
  writeFileSync(path.join(folder, 'y.db'), 'something else, '.repeat(1000));
  file = path.join(folder, 'y.db');
  await expect(open()).rejects.toMatchObject({ code: 'config', message: expect.stringContaining('damaged') });
});

describe.runIf(needs('modes and kills of a database', 'linux'))('on Unix', () => {
  it('is for this user alone, with its side files', async () => {
    (await open()).run('insert into a values (1)');
    const files = readdirSync(path.dirname(file));
    expect(files).toContain('x.db-wal');
    for (const name of files)
      expect([name, statSync(path.join(path.dirname(file), name)).mode & 0o777]).toEqual([name, 0o600]);
  });

  it('survives writers that are killed in the middle', async () => {
    const database = await open();
    const script = `
      const { DatabaseSync } = require('@photostructure/sqlite');
      const db = new DatabaseSync(${JSON.stringify(file)});
      db.exec('begin immediate; insert into a values (1)'); console.log('in the middle'); setInterval(() => {}, 1000);`;
    const child = await startNode(script, { cwd: path.dirname(import.meta.dirname) });
    child.process.kill('SIGKILL');
    // The lock goes with the process.
    database.run('insert into a values (2)');
    expect(database.all('select n from a')).toMatchObject([{ n: 2 }]);
    expect(database.all('pragma integrity_check')).toMatchObject([{ integrity_check: 'ok' }]);
  });
});

it('says that it cannot write where it cannot', async () => {
  mkdirSync(file, { recursive: true });
  await expect(open()).rejects.toMatchObject({ code: 'privilege', message: expect.stringContaining(file) });
});
