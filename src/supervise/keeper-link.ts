// Reeve's side of the keeper: starts it, and tells it what to end if this process is killed.
import { type ChildProcess, spawn } from 'node:child_process';
import type { ProcessIdentity } from '../system/index.ts';
import { firstNotes, type KeeperNote } from './keeper.ts';

export interface Keeper {
  /** Null where it could not be started. */
  readonly pid: number | null;
  /** From now on the tree with this mark is ended when this process is: TERM, then after `timeout` ms KILL. */
  keep(mark: string, known: ProcessIdentity[], timeout: number): void;
  /** Nobody of it is left. */
  forget(mark: string): void;
}

/** It was killed itself, or cannot run at all: a few tries, not for ever. */
const maxStarts = 5;

/** V8's own helper threads and generations cost more memory than the keeper's work needs. */
const flags = ['--single-threaded', '--max-semi-space-size=1', '--max-old-space-size=64'];

/**
 * Starts one at the first note; `file` is its program. It ends when this process does: it needs no goodbye where
 * every tree has been forgotten.
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
      // Its first notes are with it when it begins: this process may be killed before it writes a word.
      env: { ...(env.PATH !== undefined && { PATH: env.PATH }), [firstNotes]: inShort([...kept.values()]) },
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    keeper = started;
    const gone = () => {
      if (keeper !== started) return;
      keeper = null;
      if (kept.size > 0) start();
    };
    started.once('exit', gone);
    started.once('error', gone);
    // A note to one that was killed: its exit, which comes next, starts another with all notes.
    started.stdin!.on('error', () => {});
    started.unref();
    (started.stdin as unknown as { unref?: () => void }).unref?.();
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

/** One variable may have 128 KiB (MAX_ARG_STRLEN, Linux): beyond half of that the marks must do until the next note. */
function inShort(notes: KeeperNote[]): string {
  const text = JSON.stringify(notes);
  return text.length < 65_536 ? text : JSON.stringify(notes.map((note) => ({ ...note, known: [] })));
}
