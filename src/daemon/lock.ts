// One daemon a state directory: the lock file names its process, so that a stale one is told from a live one.
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { errorCode, ReeveError } from '../core/errors.ts';
import type { Processes } from '../system/index.ts';

export interface LockRecord {
  pid: number;
  /** See ProcessIdentity. */
  start: string;
  /** `host:port` of the control API; null while it is not open yet. */
  control: string | null;
}

export interface Lock {
  /** Tells clients where the control API is. */
  publish(control: string): Promise<void>;
  release(): Promise<void>;
}

const lockFile = (state: string) => path.join(state, 'daemon.json');

/** The lock as it is written; null where there is none or it is damaged. Says nothing about its process. */
export async function readLock(state: string): Promise<LockRecord | null> {
  return parseLock(await readFile(lockFile(state), 'utf8').catch(() => ''));
}

/** Of the daemon that this one succeeds: it stays that one's until `publish`. */
export async function inheritLock(state: string, processes: Processes): Promise<Lock> {
  return lockOf(state, await processes.identify(process.pid));
}

/** @throws ReeveError `conflict` where another daemon runs on this state directory. */
export async function takeLock(state: string, processes: Processes): Promise<Lock> {
  const self = await processes.identify(process.pid);
  const file = lockFile(state);
  const own: LockRecord = { pid: process.pid, start: self?.start ?? '', control: null };
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, JSON.stringify(own), { mode: 0o600 });
  try {
    for (let attempt = 0; !(await created(draft, file)); attempt++) {
      const text = await readFile(file, 'utf8').catch(() => '');
      const owner = parseLock(text);
      if (attempt >= 5 || (owner && (await alive(owner, processes)))) throw held(state, owner);
      await removeStale(file, text);
    }
  } finally {
    await rm(draft, { force: true });
  }
  return lockOf(state, self);
}

function lockOf(state: string, self: { start: string } | null): Lock {
  const file = lockFile(state);
  const draft = `${file}.${process.pid}`;
  const own = { pid: process.pid, start: self?.start ?? '' };
  return {
    async publish(control) {
      await writeFile(draft, JSON.stringify({ ...own, control }), { mode: 0o600 });
      await rename(draft, file);
    },
    async release() {
      const now = await readLock(state);
      if (now?.pid === own.pid && now.start === own.start) await rm(file, { force: true });
    },
  };
}

/** A hard link either appears with its whole content or fails: nobody ever reads half a lock. */
async function created(draft: string, file: string): Promise<boolean> {
  try {
    await link(draft, file);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Moves the stale file aside first: whoever finds another one in hand has met a newer owner and puts it back. */
async function removeStale(file: string, stale: string): Promise<void> {
  const aside = `${file}.stale.${process.pid}`;
  try {
    await rename(file, aside);
    if ((await readFile(aside, 'utf8')) !== stale) await link(aside, file);
  } catch (error) {
    if (!['ENOENT', 'EEXIST'].includes(errorCode(error) ?? '')) throw error;
  } finally {
    await rm(aside, { force: true });
  }
}

export async function alive(owner: LockRecord, processes: Processes): Promise<boolean> {
  const identity = await processes.identify(owner.pid);
  return identity !== null && identity.start === owner.start;
}

function held(state: string, owner: LockRecord | null): ReeveError {
  const who = owner
    ? `PID ${owner.pid}${owner.control ? `, control API on ${owner.control}` : ''}`
    : 'unknown';
  return new ReeveError(
    'conflict',
    `another daemon (${who}) runs on the state directory ${state}: one at a time is accepted`,
    {
      hint: 'reeve status shows it, reeve down stops it; or set another state: in the configuration',
    },
  );
}

function parseLock(text: string): LockRecord | null {
  try {
    const { pid, start, control } = JSON.parse(text) as Partial<LockRecord>;
    if (typeof pid !== 'number' || typeof start !== 'string') return null;
    return { pid, start, control: typeof control === 'string' ? control : null };
  } catch {
    return null;
  }
}
