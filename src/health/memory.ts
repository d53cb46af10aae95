// What outlives the daemon: verdicts, streaks, what was told, ejections and maintenance, in SQLite.
import * as z from 'zod';
import type { Context } from '../core/context.ts';
import { errorMessage } from '../core/errors.ts';
import { type Database, openDatabase } from '../store/index.ts';
import type { Maintained } from './maintenance.ts';

const verdict = z.enum(['up', 'down', 'unknown']);
const health = z.object({ verdict, streak: z.int().min(0) });

const keptSchema = z.object({
  state: health,
  quality: health,
  since: z.number(),
  summary: z.string(),
  alert: z.object({ told: z.enum(['up', 'down']), toldAt: z.number(), repeats: z.int(), failures: z.int() }),
  flap: z.object({ changes: z.array(z.number()).max(10_000), flapping: z.boolean() }),
});

export type Kept = z.infer<typeof keptSchema>;

/** A target that a listener has put aside. `until`: wall clock (ms). */
export interface Ejected {
  target: string;
  until: number;
  ejections: number;
}

export interface Memory {
  /** Null where there is nothing, or it was of another definition. `at`: wall clock (ms), when it was known last. */
  recall(name: string, definition: string): { kept: Kept; at: number } | null;
  /** Kept with the next batch; `at` as above. */
  keep(name: string, definition: string, kept: Kept, at: number): void;
  /** It is still so. */
  confirm(name: string, at: number): void;
  maintained(): Maintained[];
  keepMaintained(entries: readonly Maintained[]): void;
  ejected(listener: string): Ejected[];
  keepEjected(listener: string, entries: readonly Ejected[]): void;
  /** Writes what is not written yet, for another daemon to read. */
  flush(): void;
  /** Reads anew what another daemon has written since. */
  refresh(): void;
  /** Writes nothing any more: it is another daemon's. */
  letGo(): void;
  /** Forgets what this run did not ask for. */
  close(): void;
}

const migrations = [
  `create table checks (name text primary key, definition text not null, kept text not null) without rowid;
   create table maintenance (subject text primary key, until integer not null) without rowid;
   create table life (one integer primary key check (one = 1), seen integer not null);`,
  `create table ejections (listener text, target text, until integer not null, ejections integer not null,
     primary key (listener, target)) without rowid;`,
];

const writeEvery = 1000;
/** Without a change, how often it is written that this process lives: so exact is the age of what is found. */
const sayAliveEvery = 10_000;
/** Rows a batch: some 20 ms of this thread. */
const batch = 2000;
/** A summary quotes what servers say. */
const longestSummary = 1000;

interface Row {
  definition: string;
  kept: Kept;
  at: number;
  claimed: boolean;
}

/** Without a file that can be had, it lasts as long as this process. */
export async function openMemory(
  file: string | null,
  { clock, log }: Pick<Context, 'clock' | 'log'>,
): Promise<Memory> {
  const rows = new Map<string, Row>();
  const dirty = new Set<string>();
  let maintained: Maintained[] = [];
  let saidAlive = Number.NEGATIVE_INFINITY;
  let database: Database | null = null;

  const load = (from: Database) => {
    const [life] = from.all<{ seen: number }>('select seen from life');
    for (const { name, definition, kept } of from.all<{ name: string; definition: string; kept: string }>(
      'select name, definition, kept from checks',
    )) {
      const parsed = keptSchema.safeParse(jsonOf(kept));
      if (parsed.success && !dirty.has(name))
        rows.set(name, {
          definition,
          kept: parsed.data,
          at: life?.seen ?? 0,
          claimed: rows.get(name)?.claimed ?? false,
        });
    }
    maintained = from.all<Maintained>('select subject, until from maintenance');
  };
  const write = (names: string[]) => {
    if (!database) return;
    const to = database;
    to.transaction(() => {
      for (const name of names) {
        const { definition, kept } = rows.get(name)!;
        const text = JSON.stringify({ ...kept, summary: kept.summary.slice(0, longestSummary) });
        to.run('insert or replace into checks values (?, ?, ?)', name, definition, text);
      }
      to.run('insert or replace into life values (1, ?)', Math.round(clock.wall()));
    });
    saidAlive = clock.monotonic();
  };
  const guarded = (work: () => void) => {
    try {
      work();
    } catch (error) {
      log.warn({ error: errorMessage(error) }, 'cannot keep what is known of health');
    }
  };
  const flush = () => {
    const names = [...dirty].slice(0, batch);
    if (names.length === 0 && clock.monotonic() - saidAlive < sayAliveEvery) return;
    for (const name of names) dirty.delete(name);
    guarded(() => write(names));
  };

  try {
    if (file !== null) database = await openDatabase(file, { migrations });
    if (database) load(database);
  } catch (error) {
    log.warn({ error: errorMessage(error) }, 'verdicts of checks will not survive a restart');
  }
  const timer = database ? setInterval(flush, writeEvery).unref() : undefined;

  return {
    recall(name, definition) {
      const row = rows.get(name);
      if (row?.definition !== definition) return null;
      row.claimed = true;
      return row;
    },
    keep(name, definition, kept, at) {
      rows.set(name, { definition, kept, at, claimed: true });
      dirty.add(name);
    },
    confirm(name, at) {
      const row = rows.get(name);
      if (row) row.at = at;
    },
    maintained: () => maintained,
    keepMaintained(entries) {
      maintained = [...entries];
      guarded(() =>
        database?.transaction(() => {
          database!.run('delete from maintenance');
          for (const { subject, until } of entries) {
            database!.run('insert into maintenance values (?, ?)', subject, Math.round(until));
          }
        }),
      );
    },
    ejected(listener) {
      const sql = 'select target, until, ejections from ejections where listener = ?';
      let found: Ejected[] = [];
      guarded(() => {
        found = database?.all<Ejected>(sql, listener) ?? [];
      });
      return found;
    },
    keepEjected(listener, entries) {
      guarded(() =>
        database?.transaction(() => {
          database!.run('delete from ejections where listener = ?', listener);
          for (const { target, until, ejections } of entries) {
            const values = [listener, target, Math.round(until), ejections];
            database!.run('insert into ejections values (?, ?, ?, ?)', ...values);
          }
        }),
      );
    },
    flush: () => guarded(() => write([...dirty])),
    refresh: () => guarded(() => database && load(database)),
    letGo() {
      clearInterval(timer);
      database?.close();
      database = null;
    },
    close() {
      clearInterval(timer);
      guarded(() => {
        write([...dirty]);
        for (const [name, { claimed }] of rows)
          if (!claimed) database?.run('delete from checks where name = ?', name);
      });
      database?.close();
      database = null;
    },
  };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
