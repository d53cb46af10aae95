// Reeve's side of the keeper: starts it, and tells it what to end if this process is killed.
import { type ChildProcess, spawn } from 'node:child_process';
import type { ProcessIdentity } from '../system/index.ts';
import type { KeeperNote } from './keeper.ts';

export interface Keeper {
  /** Null where it could not be started. */
  readonly pid: number | null;
  /** From now on the tree with this mark is ended when this process is: TERM, then after `timeout` ms KILL. */
  keep(mark: string, known: ProcessIdentity[], timeout: number): void;
  /** Nobody of it is left. */
  forget(mark: string): void;
}

/** It is killed itself, or cannot run: a few tries, not one at every note. */
const maxStarts = 5;

/** V8's own helper threads and generations cost more memory than the keeper's work needs. */
const flags = ['--single-threaded', '--max-semi-space-size=1', '--max-old-space-size=64'];

/**
 * Starts one at the first note; `file` is its program. It ends when this process does: it needs no goodbye where
 * every tree has been forgotten. `entry` comes before the file, for a test that runs it from its source.
 */
export function createKeeper(file: string, env: NodeJS.ProcessEnv): Keeper {
  const kept = new Map<string, KeeperNote>();
  let keeper: ChildProcess | null = null;
  let starts = 0;

  const start = () => {
    if (keeper || starts >= maxStarts) return;
    starts += 1;
    const started = spawn(process.execPath, [...flags, file], {
      // A session of its own: Ctrl-C and a terminal that closes are not meant for it.
      detached: true,
      windowsHide: true,
      // It keeps no folder and no terminal busy.
      cwd: '/',
      env: env.PATH === undefined ? {} : { PATH: env.PATH },
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    keeper = started;
    const gone = () => {
      if (keeper === started) keeper = null;
    };
    started.once('exit', gone);
    started.once('error', gone);
    // It was killed: the next note starts another.
    started.stdin!.on('error', () => {});
    started.unref();
    (started.stdin as unknown as { unref?: () => void }).unref?.();
    for (const note of kept.values()) write(note);
  };
  const write = (note: KeeperNote) => keeper?.stdin?.write(`${JSON.stringify(note)}\n`);

  return {
    get pid() {
      return keeper?.pid ?? null;
    },
    keep(mark, known, timeout) {
      const note = { mark, known, timeout };
      kept.set(mark, note);
      if (keeper) write(note);
      else start();
    },
    forget(mark) {
      if (kept.delete(mark)) write({ mark });
    },
  };
}
