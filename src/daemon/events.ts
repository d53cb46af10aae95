// The one bus: every state change is an event with an increasing id, kept in a bounded ring and sent to all who listen.
import * as z from 'zod';
import { type Clock, eventKinds, type ReeveEvent } from '../core/context.ts';

export const eventSchema = z.object({
  id: z.int().describe('increases, also over restarts of the daemon'),
  time: z.iso.datetime(),
  kind: z.enum(eventKinds),
  subject: z.string().describe('web, user-api/0, check/database…'),
  message: z.string().describe('one sentence'),
  detail: z.record(z.string(), z.unknown()),
});

export type RecordedEvent = z.infer<typeof eventSchema>;

export interface EventBus {
  emit(event: ReeveEvent): RecordedEvent;
  /** Kept events with a higher id, oldest first. `lost`: some between are no longer kept. */
  since(id: number): { events: RecordedEvent[]; lost: boolean };
  /** The id of the newest event; one below the first while there is none. */
  last(): number;
  /** Returns what ends the subscription. */
  subscribe(listener: (event: RecordedEvent) => void): () => void;
}

/** Enough to look back over a bad hour; a few hundred bytes each. */
const keptEvents = 1000;

/**
 * Ids start at the wall clock's milliseconds, so that they go on increasing when the daemon is started again
 * and a client that resumes from an id of the former run misses nothing of the new one.
 */
export function createEventBus(clock: Clock, kept = keptEvents): EventBus {
  const ring: RecordedEvent[] = [];
  const listeners = new Set<(event: RecordedEvent) => void>();
  const before = Math.floor(clock.wall()) - 1;
  let last = before;
  return {
    emit(event) {
      const recorded = { id: ++last, time: new Date(clock.wall()).toISOString(), ...event };
      ring.push(recorded);
      if (ring.length > kept) ring.shift();
      for (const listener of listeners) listener(recorded);
      return recorded;
    },
    since(id) {
      const oldest = ring[0]?.id ?? last + 1;
      // An id beyond the newest is from somewhere else: give everything rather than wait for it to be reached.
      const from = id > last ? before : id;
      return { events: ring.filter((event) => event.id > from), lost: from > before && from < oldest - 1 };
    },
    last: () => last,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
