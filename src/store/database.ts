// An SQLite file that many processes write at once: opened, migrated, and asked through statements that are kept.
import { closeSync, openSync } from 'node:fs';
import path from 'node:path';
import type Libsql from 'libsql';
import { errorCode, errorMessage, ReeveError } from '../core/errors.ts';
import { sleep } from '../core/time.ts';
import { openStateFolder } from './folder.ts';

/** Text ends at a NUL: libsql 0.5 cuts it there. */
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
  let connection: Libsql.Database | undefined;
  try {
    createPrivate(file);
    connection = new Sqlite(file, { timeout: roundMs });
    const database = wrap(connection, file, options.busyMs ?? 5000);
    // Readers and one writer get along, and a commit need not wait for the disk: what a power failure takes
    // with it was about processes that are gone as well. Killed processes lose nothing.
    await untilQuiet(() => database.all('pragma journal_mode = wal'));
    database.run('pragma synchronous = normal');
    // Bringing the log home waits for the disk twice: every 16 MB rather than every 4.
    database.all('pragma wal_autocheckpoint = 4000');
    migrate(database, connection, options.migrations, file);
    return database;
  } catch (error) {
    connection?.close();
    throw explained(error, file);
  }
}

/** Its binary is an optional package, and there is none for Windows on arm64. */
async function loadSqlite(): Promise<typeof Libsql> {
  try {
    return (await import('libsql')).default;
  } catch (error) {
    const reason = errorMessage(error).split('\n')[0];
    throw new ReeveError('unsupported', `cannot load SQLite for this system and processor: ${reason}`, {
      hint: 'Install portreeve with its optional packages; on Windows for arm64, run it by Node for x64',
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
 * SQLite waits for others by trying again after 1, 2, 5, 10… up to 100 ms. Among 64 writers the unlucky waited for
 * ten seconds; beginning anew after so long, they try more often than those who have just come.
 */
const roundMs = 100;

function wrap(connection: Libsql.Database, file: string, busyMs: number): Database {
  const statements = new Map<string, Libsql.Statement<unknown[]>>();
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
  const guarded = <Result>(work: () => Result): Result => {
    const end = performance.now() + busyMs;
    for (;;) {
      try {
        return work();
      } catch (error) {
        if (!isBusy(error) || performance.now() > end) throw explained(error, file);
      }
    }
  };
  return {
    // Values go in one list: libsql 0.5 takes a lone null for a map of names.
    all: <Row>(sql: string, ...values: Value[]) => guarded(() => reader(sql)(values) as Row[]),
    run: (sql, ...values) => guarded(() => statement(sql).run(values).changes),
    transaction: (work) =>
      guarded(() => {
        statement('begin immediate').run([]);
        try {
          const result = work();
          statement('commit').run([]);
          return result;
        } catch (error) {
          // Some failures (a full disk) have rolled back already.
          if (connection.inTransaction) statement('rollback').run([]);
          throw error;
        }
      }),
    close() {
      statements.clear();
      readers.clear();
      if (connection.open) connection.close();
    },
  };
}

type Reader = (values: Value[]) => object[];

/** Rows as lists, made into objects here: made by libsql 0.5 they cost half of a grant. */
function createReader(statement: Libsql.Statement<unknown[]>): Reader {
  const names = statement.columns().map(({ name }) => name);
  statement.raw(true);
  return (values) =>
    (statement.all(values) as Value[][]).map((cells) => {
      const row: Record<string, Value> = {};
      for (let i = 0; i < names.length; i++) row[names[i]!] = cells[i]!;
      return row;
    });
}

function migrate(
  database: Database,
  connection: Libsql.Database,
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

const isBusy = (error: unknown) => errorCode(error)?.startsWith('SQLITE_BUSY') ?? false;

function explained(error: unknown, file: string): unknown {
  if (error instanceof ReeveError) return error;
  // Where opening fails, libsql 0.5 has no code.
  const code = errorCode(error) || (/unable to open/i.test(errorMessage(error)) ? 'SQLITE_CANTOPEN' : '');
  if (isBusy(error)) {
    return new ReeveError('timeout', `${file} is busy: another process has been writing for too long`, {
      hint: `See who has it open: lsof ${file}`,
      cause: error,
    });
  }
  if (['EACCES', 'EPERM', 'EROFS', 'SQLITE_CANTOPEN', 'SQLITE_READONLY', 'SQLITE_PERM'].includes(code)) {
    return new ReeveError('privilege', `cannot write ${file}: ${errorMessage(error)}`, { cause: error });
  }
  if (['ENOSPC', 'EDQUOT', 'SQLITE_FULL'].includes(code)) {
    return new ReeveError('unreachable', `cannot write ${file}: there is no room left on its disk`, {
      hint: `See what fills it: df -h ${path.dirname(file)}`,
      cause: error,
    });
  }
  if (['SQLITE_NOTADB', 'SQLITE_CORRUPT'].includes(code)) {
    return new ReeveError('config', `${file} is not a database of reeve, or is damaged`, {
      hint: 'Move it away: a new one is made',
      cause: error,
    });
  }
  return error;
}
