// An SQLite file that many processes write at once: opened, migrated, and asked through statements that are kept.
import { closeSync, openSync, statSync } from 'node:fs';
import path from 'node:path';
import type { DatabaseSyncInstance, StatementSyncInstance } from '@photostructure/sqlite';
import { errorCode, errorMessage, ReeveError } from '../core/errors.ts';
import { abortError, sleep } from '../core/time.ts';
import { openStateFolder } from './folder.ts';
import { explained, isBusy } from './sqlite-errors.ts';

/** Text ends at a NUL: @photostructure/sqlite 1.2 cuts it there. */
export type Value = string | number | null;

export interface Database {
  /** The rows that a statement gives. It is prepared once, so its text must not hold values. */
  all<Row>(sql: string, ...values: Value[]): Row[];
  /** How many rows it changed. */
  run(sql: string, ...values: Value[]): number;
  /**
   * All of `work` or nothing of it; nobody else writes meanwhile. Waits for its turn, which blocks this thread.
   * @throws ReeveError `timeout` where the turn does not come within `busyMs`.
   */
  transaction<Result>(work: () => Result): Result;
  /**
   * `work` once it can write. Waiting for others blocks this thread for `roundMs` at most; in between the event loop has
   * its turn, and the signal is heard. What was half done when others were in the way is done anew.
   * @throws ReeveError `timeout` where the turn does not come within `busyMs`.
   */
  inTurn<Result>(work: () => Result, signal?: AbortSignal): Promise<Result>;
  /** Idempotent. */
  close(): void;
}

export interface DatabaseOptions {
  /** Each brings the file from one version to the next; what was once published is never changed. */
  migrations: readonly string[];
  /** How long to wait for other writers. Default 5000; a write takes well under a millisecond. */
  busyMs?: number;
}

/** @throws ReeveError `privilege`, or `config` for a file that is none of ours or of a newer version. */
export async function openDatabase(file: string, options: DatabaseOptions): Promise<Database> {
  await openStateFolder(path.dirname(file));
  const Sqlite = await loadSqlite();
  let connection: DatabaseSyncInstance | undefined;
  try {
    createPrivate(file);
    connection = new Sqlite(file, { timeout: roundMs });
    const database = wrap(connection, file, options.busyMs ?? 5000);
    // Rows are short, and each change writes whole pages: a quarter of the usual size saves an eighth of a grant.
    database.run('pragma page_size = 1024');
    // Readers and one writer get along, and a commit need not wait for the disk: what a power failure takes
    // with it was about processes that are gone as well. Killed processes lose nothing.
    await untilQuiet(() => database.all('pragma journal_mode = wal'));
    database.run('pragma synchronous = normal');
    // Done in wrap: by itself SQLite never starts the log anew while somebody always reads, and it grew without a bound.
    database.all('pragma wal_autocheckpoint = 0');
    bringHome(connection, file);
    migrate(database, connection, options.migrations, file);
    return database;
  } catch (error) {
    connection?.close();
    throw explained(error, file);
  }
}

/** An optional package: there are systems and processors that it has no binary for. */
async function loadSqlite() {
  try {
    return (await import('@photostructure/sqlite')).DatabaseSync;
  } catch (error) {
    const reason = errorMessage(error).split('\n')[0];
    throw new ReeveError('unsupported', `cannot load SQLite for this system and processor: ${reason}`, {
      hint: 'Install portreeve with its optional packages; it has binaries for Linux, macOS and Windows, x64 and arm64',
      cause: error,
    });
  }
}

/**
 * SQLite gives its side files the mode of this one. Made exclusively: closing any descriptor of an existing
 * database would drop the locks that this process has on it (POSIX locks, fcntl(2)).
 */
function createPrivate(file: string): void {
  try {
    closeSync(openSync(file, 'wx', 0o600));
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  }
}

/** The switch to WAL does not wait for others by itself: SQLite answers SQLITE_BUSY at once. */
async function untilQuiet(work: () => unknown): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      work();
      return;
    } catch (error) {
      if (errorCode(error) !== 'timeout' || tries === 100) throw error;
      await sleep(10);
    }
  }
}

/**
 * SQLite waits for others by trying again after 1, 2, 5, 10… ms, and who has waited long tries seldom: among 64 writers
 * the unlucky waited for ten seconds. Beginning anew after so long, they try as often as those who have just come. With 20 ms
 * or 250 in its place, 64 writers did half as much.
 */
const roundMs = 100;

function wrap(connection: DatabaseSyncInstance, file: string, busyMs: number): Database {
  const statements = new Map<string, StatementSyncInstance>();
  const statement = (sql: string) => {
    const known = statements.get(sql) ?? connection.prepare(sql);
    statements.set(sql, known);
    return known;
  };
  const readers = new Map<string, Reader>();
  const reader = (sql: string) => {
    const known = readers.get(sql) ?? createReader(connection.prepare(sql));
    readers.set(sql, known);
    return known;
  };
  /** Within inTurn, which waits. */
  let once = false;
  const patiently = <Result>(work: () => Result): Result => {
    const end = performance.now() + (once ? 0 : busyMs);
    for (;;) {
      try {
        return work();
      } catch (error) {
        if (!isBusy(error) || performance.now() > end) throw once ? error : explained(error, file);
      }
    }
  };
  const attempt = <Result>(work: () => Result): Result => {
    once = true;
    try {
      return work();
    } finally {
      once = false;
    }
  };
  let asked = 0;
  const tended = <Result>(work: () => Result): Result => {
    const result = patiently(work);
    asked += 1;
    if (asked % tendEvery === 0 && !connection.isTransaction) bringHome(connection, file);
    return result;
  };
  return {
    all: <Row>(sql: string, ...values: Value[]) => tended(() => reader(sql)(values) as Row[]),
    run: (sql, ...values) => tended(() => Number(statement(sql).run(...values).changes)),
    transaction: (work) =>
      tended(() => {
        statement('begin immediate').run();
        try {
          const result = work();
          statement('commit').run();
          return result;
        } catch (error) {
          // Some failures (a full disk) have rolled back already.
          if (connection.isTransaction) statement('rollback').run();
          throw error;
        }
      }),
    async inTurn(work, signal) {
      const end = performance.now() + busyMs;
      for (;;) {
        if (signal?.aborted) throw abortError(signal);
        try {
          return attempt(work);
        } catch (error) {
          if (!isBusy(error) || performance.now() > end) throw explained(error, file);
          // Random, so that those who were refused together do not come back together.
          await sleep(1 + 10 * Math.random(), signal);
        }
      }
    },
    close() {
      statements.clear();
      readers.clear();
      if (connection.isOpen) connection.close();
    },
  };
}

/** Statements between two looks at the log. */
const tendEvery = 100;
/** What is brought home waits for the disk twice: every 16 MB rather than every 4, as SQLite has it. */
const logBytes = 16 * 1024 * 1024;

/**
 * Copies the log into the file and cuts it off, where it has grown long. Unlike SQLite's own checkpoint this waits, for
 * a round at most, until nobody reads from the log. Where others are in the way, or the disk is full, what was asked for
 * is done all the same, and the next look tries again.
 */
function bringHome(connection: DatabaseSyncInstance, file: string): void {
  try {
    const { size } = statSync(`${file}-wal`, { throwIfNoEntry: false }) ?? { size: 0 };
    if (size > logBytes) connection.exec('pragma wal_checkpoint(truncate)');
  } catch {}
}

type Reader = (values: Value[]) => object[];

/** Rows come as lists and are made into objects here, which takes two thirds of the time. */
function createReader(statement: StatementSyncInstance): Reader {
  const names = statement.columns().map(({ name }) => name);
  statement.setReturnArrays(true);
  return (values) =>
    (statement.all(...values) as Value[][]).map((cells) => {
      const row: Record<string, Value> = {};
      for (let i = 0; i < names.length; i++) row[names[i]!] = cells[i]!;
      return row;
    });
}

function migrate(
  database: Database,
  connection: DatabaseSyncInstance,
  migrations: readonly string[],
  file: string,
): void {
  const version = () => database.all<{ user_version: number }>('pragma user_version')[0]!.user_version;
  if (version() === migrations.length) return;
  database.transaction(() => {
    // Read again: another process may have been quicker.
    const from = version();
    if (from > migrations.length) {
      throw new ReeveError(
        'config',
        `${file} has version ${from}: a newer reeve wrote it, this one reads up to ${migrations.length}`,
        { hint: 'Use the newer reeve, or move the file away' },
      );
    }
    for (const step of migrations.slice(from)) connection.exec(step);
    database.run(`pragma user_version = ${migrations.length}`);
  });
}
