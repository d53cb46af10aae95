// Work that is done one after another, each beginning with what the one before has left.

export interface Turns {
  take<Result>(work: () => Promise<Result>): Promise<Result>;
  /** Resolves when nothing is under way. */
  settled(): Promise<unknown>;
}

/** `check` throws where no work may begin any more. */
export function createTurns(check: () => void): Turns {
  let last: Promise<unknown> = Promise.resolve();
  return {
    take(work) {
      const next = last.then(() => {
        check();
        return work();
      });
      last = next.catch(() => {});
      return next;
    },
    settled: () => last,
  };
}
