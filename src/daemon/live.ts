// The status as it changes, for those who watch: whole at first, then each second what has become another.
import type { Recorder, Seen } from './history/recorder.ts';

export interface Patch {
  /** Seconds since the epoch. */
  at: number;
  /** Top-level values of the status that changed. */
  set: Record<string, unknown>;
  /** For each list of the status: rows that are new or changed, and all names in order where those changed. */
  rows: Record<string, { changed: object[]; order?: string[] }>;
}

export interface Live {
  /** `patch` is null for whoever has nothing yet: then the whole status counts. Returns how to stop listening. */
  watch(listener: (seen: Seen, patch: Patch | null) => void): () => void;
}

/** Compared by their text, once for everybody who watches; while nobody does, nothing is compared. */
export function createLive(recorder: Recorder): Live {
  const watchers = new Map<(seen: Seen, patch: Patch | null) => void, { fresh: boolean }>();
  let before: Texts | null = null;
  let leave: (() => void) | null = null;

  const tell = (seen: Seen) => {
    const now = textsOf(seen.status);
    const patch = before && difference(seen, before, now);
    before = now;
    for (const [watcher, state] of watchers) {
      watcher(seen, state.fresh ? null : patch);
      state.fresh = false;
    }
  };
  return {
    watch(listener) {
      watchers.set(listener, { fresh: true });
      leave ??= recorder.onSeen(tell);
      return () => {
        watchers.delete(listener);
        if (watchers.size > 0) return;
        leave?.();
        leave = null;
        before = null;
      };
    },
  };
}

interface Texts {
  values: Map<string, string>;
  lists: Map<string, Map<string, string>>;
}

type Named = { name: string };

function textsOf(status: object): Texts {
  const texts: Texts = { values: new Map(), lists: new Map() };
  for (const [key, value] of Object.entries(status)) {
    if (isList(value)) texts.lists.set(key, new Map(value.map((row) => [row.name, JSON.stringify(row)])));
    else texts.values.set(key, JSON.stringify(value));
  }
  return texts;
}

/** An empty list is a value: rows may come, or something without a name, and that it became empty must be told. */
function isList(value: unknown): value is Named[] {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((row) => typeof (row as Named | null)?.name === 'string')
  );
}

function difference({ at, status }: Seen, before: Texts, now: Texts): Patch {
  const patch: Patch = { at, set: {}, rows: {} };
  const values = status as unknown as Record<string, unknown>;
  for (const [key, text] of now.values) {
    if (before.values.get(key) !== text) patch.set[key] = values[key];
  }
  for (const [key, rows] of now.lists) {
    const old = before.lists.get(key) ?? new Map<string, string>();
    const changed = (values[key] as Named[]).filter(({ name }) => rows.get(name) !== old.get(name));
    const order = [...rows.keys()];
    const moved = order.length !== old.size || [...old.keys()].some((name, i) => name !== order[i]);
    if (changed.length > 0 || moved) patch.rows[key] = { changed, ...(moved && { order }) };
  }
  return patch;
}
