// Work that nobody waits for at once (draining what a reload removed), remembered so that stopping can wait for it.
import type { Log } from '../core/context.ts';
import { errorMessage } from '../core/errors.ts';

export interface Background {
  add(what: string, work: Promise<unknown>): void;
  settled(): Promise<void>;
}

export function createBackground(log: Log): Background {
  const running = new Set<Promise<unknown>>();
  return {
    add(what, work) {
      const watched = work
        .catch((error) => log.error({ error: errorMessage(error) }, `${what} failed`))
        .finally(() => running.delete(watched));
      running.add(watched);
    },
    async settled() {
      while (running.size > 0) await Promise.all(running);
    },
  };
}
