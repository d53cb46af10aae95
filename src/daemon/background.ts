// Work that nobody waits for at once (draining what a reload removed), remembered so that stopping can wait for it.
import type { Emit } from '../core/context.ts';
import { errorMessage } from '../core/errors.ts';

export interface Background {
  add(what: string, work: Promise<unknown>): void;
  settled(): Promise<void>;
}

export function createBackground(emit: Emit): Background {
  const running = new Set<Promise<unknown>>();
  return {
    add(what, work) {
      const watched = work
        .catch((error) => {
          const message = `${what} failed: ${errorMessage(error)}`;
          emit({ kind: 'daemon', subject: 'daemon', message, detail: { failed: what } });
        })
        .finally(() => running.delete(watched));
      running.add(watched);
    },
    async settled() {
      while (running.size > 0) await Promise.all(running);
    },
  };
}
