// Samples kept in rings: each tier holds its last so many slots, and a new one takes the place of the oldest.
import { type Database, openDatabase } from './database.ts';

/** One tier of a history: a slot every `step` seconds, the last `slots` of them. */
export interface Tier {
  step: number;
  slots: number;
}

/** What was seen in one slot: values by the name of the series. */
export type Sample = Record<string, (number | null)[]>;

export interface Rings {
  /** All in one transaction. `at` is in seconds since the epoch, a multiple of the tier's step. */
  write(rows: readonly { tier: Tier; at: number; sample: Sample }[]): void;
  /** Oldest first, from `from` on (seconds since the epoch). */
  read(tier: Tier, from: number): { at: number; sample: Sample }[];
  close(): void;
}

/**
 * The place in the ring is the key, so the file is bounded without anything ever being deleted. A slot's samples
 * are one row of text: a write a slot costs the same for one series as for a thousand.
 */
const migrations = [
  `create table slots (
    step integer not null, place integer not null, at integer not null, sample text not null,
    primary key (step, place)
  ) strict, without rowid`,
];

/** @throws ReeveError as `openDatabase` does. */
export async function openRings(file: string): Promise<Rings> {
  // A chart is not worth waiting for: the daemon's loop would stand still meanwhile.
  const database: Database = await openDatabase(file, { migrations, busyMs: 200 });
  return {
    write(rows) {
      database.transaction(() => {
        for (const { tier, at, sample } of rows) {
          const place = Math.floor(at / tier.step) % tier.slots;
          database.run(
            'insert or replace into slots values (?, ?, ?, ?)',
            tier.step,
            place,
            at,
            JSON.stringify(sample),
          );
        }
      });
    },
    read: ({ step }, from) =>
      database
        .all<{ at: number; sample: string }>(
          'select at, sample from slots where step = ? and at >= ? order by at',
          step,
          from,
        )
        .map(({ at, sample }) => ({ at, sample: JSON.parse(sample) as Sample })),
    close: () => database.close(),
  };
}
