// Where reeve keeps what must outlast a process: the state directory.
import { existsSync } from 'node:fs';
import { chmod, mkdir, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { errorCode, errorMessage, ReeveError } from '../core/errors.ts';

/** The user that decides the default: 0 is root, null is Windows, which has no such number. */
export interface StateOwner {
  uid: number | null;
  env: NodeJS.ProcessEnv;
}

/**
 * The configured folder, relative to the configuration's own; else REEVE_STATE, which services of the operating system
 * are started with; else the platform's: /var/lib/portreeve for root,
 * `$XDG_STATE_HOME/portreeve` (XDG Base Directory 0.8: ~/.local/state), `%LOCALAPPDATA%\portreeve`.
 */
export function stateFolder(configured: string | undefined, folder: string, owner: StateOwner): string {
  if (configured !== undefined) return path.resolve(folder, configured);
  const { uid, env } = owner;
  if (env.REEVE_STATE && path.isAbsolute(env.REEVE_STATE)) return env.REEVE_STATE;
  if (uid === 0) return '/var/lib/portreeve';
  const base =
    uid === null
      ? (env.LOCALAPPDATA ?? path.join(homedir(), 'AppData', 'Local'))
      : env.XDG_STATE_HOME && path.isAbsolute(env.XDG_STATE_HOME)
        ? env.XDG_STATE_HOME
        : path.join(homedir(), '.local', 'state');
  return path.join(base, 'portreeve');
}

/** The state directory of a configuration that names none. */
export function defaultStateFolder(env: NodeJS.ProcessEnv): string {
  return stateFolder(undefined, '.', currentOwner(env));
}

export function currentOwner(env: NodeJS.ProcessEnv): StateOwner {
  return { uid: process.getuid?.() ?? null, env };
}

/**
 * Makes it where it is missing, for this user alone: 0700; on Windows, where modes say nothing, by `make`. Without that
 * the access list of the folder above serves, such as the profile's.
 */
export async function openStateFolder(folder: string, make?: (folder: string) => void): Promise<void> {
  try {
    if (make) {
      await makeFolders(path.dirname(folder));
      if (!existsSync(folder)) make(folder);
      return;
    }
    if (await makeFolders(folder, 0o700)) await chmod(folder, 0o700);
  } catch (error) {
    const denied = ['EACCES', 'EPERM', 'EROFS', 'ERROR_ACCESS_DENIED'].includes(errorCode(error) ?? '');
    throw new ReeveError(
      denied ? 'privilege' : 'config',
      `cannot make the state directory ${folder}: ${errorMessage(error)}`,
      {
        hint: 'Name a folder that this user may write: REEVE_STATE (for leases REEVE_LEASES), or state: in the configuration',
        cause: error,
      },
    );
  }
}

/**
 * False where it was there. Node's own `recursive` tries for ever where ENOENT is the answer though the folder above is
 * there, as under /proc (seen with Node 20.20).
 */
async function makeFolders(folder: string, mode = 0o777, tries = 3): Promise<boolean> {
  try {
    await mkdir(folder, mode);
    return true;
  } catch (error) {
    const code = errorCode(error);
    // A drive's root answers EPERM on Windows, and a read-only file system EROFS before EEXIST.
    const there = await stat(folder).catch(() => null);
    if (there?.isDirectory()) return false;
    if (code !== 'ENOENT' || tries === 1) throw error;
    // Another process may have made it since.
    const above = path.dirname(folder);
    if (!existsSync(above)) await makeFolders(above, mode);
    return makeFolders(folder, mode, tries - 1);
  }
}
