// Where reeve keeps what must outlast a process: the state directory.
import { existsSync } from 'node:fs';
import { chmod, mkdir } from 'node:fs/promises';
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
      await mkdir(path.dirname(folder), { recursive: true });
      if (!existsSync(folder)) make(folder);
      return;
    }
    const made = await mkdir(folder, { recursive: true, mode: 0o700 });
    if (made !== undefined) await chmod(folder, 0o700);
  } catch (error) {
    const denied = ['EACCES', 'EPERM', 'EROFS', 'ERROR_ACCESS_DENIED'].includes(errorCode(error) ?? '');
    throw new ReeveError(
      denied ? 'privilege' : 'config',
      `cannot make the state directory ${folder}: ${errorMessage(error)}`,
      {
        hint: 'Name a folder that this user may write: REEVE_STATE, or state: in the configuration',
        cause: error,
      },
    );
  }
}
