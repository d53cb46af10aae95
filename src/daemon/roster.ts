// Which processes this daemon runs, on disk: one that is killed leaves them behind, and its successor ends them.
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Context } from '../core/context.ts';
import { errorMessage } from '../core/errors.ts';
import type { Processes, ProcessIdentity } from '../system/index.ts';

export interface Roster {
  /** Writes down who runs now; a call while one is under way is taken up after it. */
  update(): void;
  /** Nobody runs any more. */
  close(): Promise<void>;
}

interface Entry extends ProcessIdentity {
  instance: string;
}

const rosterFile = (state: string) => path.join(state, 'instances.json');
/** Milliseconds after SIGTERM, and again after SIGKILL. */
const endWithin = 3000;

export function createRoster(
  state: string,
  processes: Processes,
  running: () => { id: string; pid: number | null }[],
  log: Context['log'],
): Roster {
  const file = rosterFile(state);
  let writing: Promise<void> | null = null;
  let again = false;
  let closed = false;

  const write = async () => {
    const entries: Entry[] = [];
    for (const { id, pid } of running()) {
      const identity = pid === null ? null : await processes.identify(pid);
      if (identity) entries.push({ instance: id, pid: identity.pid, start: identity.start });
    }
    await writeFile(`${file}.new`, JSON.stringify(entries), { mode: 0o600 });
    await rename(`${file}.new`, file);
  };
  const loop = async () => {
    do {
      again = false;
      await write().catch((error) => log.warn({ error: errorMessage(error) }, `cannot write ${file}`));
    } while (again);
    writing = null;
  };
  return {
    update() {
      if (closed) return;
      again = true;
      writing ??= loop();
    },
    async close() {
      closed = true;
      await writing;
      await rm(file, { force: true });
    },
  };
}

/** Ends what a former daemon on this state directory left running: exactly those processes, by PID and start. */
export async function endOrphans(state: string, processes: Processes, { emit }: Context): Promise<void> {
  for (const { instance, pid, start } of await readEntries(rosterFile(state))) {
    const identity = { pid, start };
    if ((await processes.identify(pid))?.start !== start) continue;
    const message = `PID ${pid} was left running by a daemon that is gone: ending it`;
    emit({ kind: 'instance', subject: `service/${instance}`, message, detail: { pid } });
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      if ((await processes.signal(identity, signal)) === 'gone') break;
      const ended = processes.exited(identity, AbortSignal.timeout(endWithin)).then(
        () => true,
        () => false,
      );
      if (await ended) break;
    }
  }
  await rm(rosterFile(state), { force: true });
}

async function readEntries(file: string): Promise<Entry[]> {
  try {
    const read: unknown = JSON.parse(await readFile(file, 'utf8'));
    if (!Array.isArray(read)) return [];
    return read.filter(
      (entry): entry is Entry =>
        Number.isSafeInteger(entry?.pid) && entry.pid > 1 && typeof entry.start === 'string',
    );
  } catch {
    return [];
  }
}
