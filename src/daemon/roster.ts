// Which processes this daemon runs, on disk: one that is killed leaves them behind, and its successor ends them.
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
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

/** One a daemon: for the time of an upgrade two run on a state directory. */
const rosterFile = (state: string, pid: number) => path.join(state, `instances.${pid}.json`);
const rosterName = /^instances(\.\d+)?\.json$/;
/** Milliseconds after SIGTERM, and again after SIGKILL. */
const endWithin = 3000;

export function createRoster(
  state: string,
  processes: Processes,
  services: () => { instances: { id: string; pid: number | null }[] }[],
  log: Context['log'],
): Roster {
  const file = rosterFile(state, process.pid);
  let writing: Promise<void> | null = null;
  let again = false;
  let closed = false;

  const write = async () => {
    const daemon = await processes.identify(process.pid);
    const entries: Entry[] = [];
    for (const { id, pid } of services().flatMap(({ instances }) => instances)) {
      const identity = pid === null ? null : await processes.identify(pid);
      if (identity) entries.push({ instance: id, pid: identity.pid, start: identity.start });
    }
    await writeFile(`${file}.new`, JSON.stringify({ daemon, instances: entries }), { mode: 0o600 });
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

/** Ends what former daemons on this state directory left running: exactly those processes, by PID and start. */
export async function endOrphans(state: string, processes: Processes, context: Context): Promise<void> {
  for (const name of (await readdir(state)).filter((each) => rosterName.test(each))) {
    const file = path.join(state, name);
    const { daemon, instances } = await readRoster(file);
    // The one that this one succeeds.
    if (daemon && (await processes.identify(daemon.pid))?.start === daemon.start) continue;
    for (const entry of instances) await endOrphan(entry, processes, context);
    await rm(file, { force: true });
  }
}

async function endOrphan({ instance, ...identity }: Entry, processes: Processes, { emit }: Context) {
  const { pid, start } = identity;
  if ((await processes.identify(pid))?.start !== start) return;
  const message = `PID ${pid} was left running by a daemon that is gone: ending it`;
  emit({ kind: 'instance', subject: `service/${instance}`, message, detail: { pid } });
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    if ((await processes.signal(identity, signal)) === 'gone') return;
    const ended = processes.exited(identity, AbortSignal.timeout(endWithin)).then(
      () => true,
      () => false,
    );
    if (await ended) return;
  }
}

/** Nobody in it where it is damaged. */
async function readRoster(file: string): Promise<{ daemon: ProcessIdentity | null; instances: Entry[] }> {
  try {
    const { daemon, instances } = JSON.parse(await readFile(file, 'utf8'));
    return { daemon: isIdentity(daemon) ? daemon : null, instances: instances.filter(isIdentity) };
  } catch {
    return { daemon: null, instances: [] };
  }
}

function isIdentity(entry: Partial<ProcessIdentity> | null): boolean {
  return Number.isSafeInteger(entry?.pid) && entry!.pid! > 1 && typeof entry!.start === 'string';
}
