// The control API's token: made once, kept in a file that only its owner can read, compared in constant time.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { errorCode, errorMessage, ReeveError } from '../core/errors.ts';
import type { Privacy } from '../system/index.ts';

/** Reads the token, or makes one of 32 random bytes where there is no file. */
export async function ensureToken(file: string, privacy?: Privacy): Promise<string> {
  try {
    // Made empty there, so that nobody has opened it when the token comes.
    privacy?.makeFile(file);
    const how = privacy ? { flag: 'r+' } : { mode: 0o600, flag: 'wx' };
    await writeFile(file, `${randomBytes(32).toString('hex')}\n`, how);
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') {
      throw new ReeveError('config', `cannot make the token file ${file}: ${errorMessage(error)}`, {
        hint: 'Set control.tokenFile to a file in a folder that this user may write',
        cause: error,
      });
    }
  }
  if (privacy) checkAccess(file, privacy);
  return readToken(file);
}

/** @throws ReeveError `config` where it is another user's, or open to others. */
function checkAccess(file: string, privacy: Privacy): void {
  const { others, stranger } = privacy.access(file);
  if (others.length === 0 && stranger === null) return;
  const why =
    stranger === null
      ? `is open to other users: ${others.join(', ')}`
      : `belongs to ${stranger}, who knows it`;
  throw new ReeveError('config', `the token file ${file} ${why}`, {
    hint: 'Remove the file: the daemon makes a new one for its own user when it starts (on a disk with access lists: NTFS)',
  });
}

/** @throws ReeveError `not-found`, `privilege`, or `config` where the file is readable by others or empty. */
export async function readToken(file: string): Promise<string> {
  let text: string;
  let mode: number;
  try {
    mode = (await stat(file)).mode;
    text = (await readFile(file, 'utf8')).trim();
  } catch (error) {
    if (errorCode(error) === 'ENOENT') {
      throw new ReeveError('not-found', `there is no token file at ${file}`, {
        hint: 'Name the configuration that the daemon was started with: -c FILE',
        cause: error,
      });
    }
    throw new ReeveError('privilege', `cannot read the token file ${file}: ${errorMessage(error)}`, {
      hint: 'It belongs to the user that runs the daemon',
      cause: error,
    });
  }
  // Windows has no such bits: Node always reports 0666 or 0444 there, and getuid does not exist.
  if (process.getuid && (mode & 0o077) !== 0) {
    throw new ReeveError(
      'config',
      `the token file ${file} is open to other users: its mode is ${(mode & 0o777).toString(8).padStart(4, '0')}, 0600 is accepted`,
      { hint: `chmod 600 ${file}` },
    );
  }
  if (text.length < 32) {
    throw new ReeveError(
      'config',
      `the token in ${file} has ${text.length} characters: at least 32 are accepted`,
      {
        hint: 'Remove the file: the daemon makes a new one when it starts',
      },
    );
  }
  return text;
}

/** Compares digests, so that neither content nor length shows in the time it takes. */
export function sameToken(expected: string, given: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(expected), digest(given));
}
