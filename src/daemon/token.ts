// The control API's token: made once, kept in a file that only its owner can read, compared in constant time.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { errorCode, errorMessage, ReeveError } from '../core/errors.ts';

/** Reads the token, or makes one of 32 random bytes where there is no file. */
export async function ensureToken(file: string): Promise<string> {
  try {
    await writeFile(file, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') {
      throw new ReeveError('config', `cannot make the token file ${file}: ${errorMessage(error)}`, {
        hint: 'Set control.tokenFile to a file in a folder that this user may write',
        cause: error,
      });
    }
  }
  return readToken(file);
}

/** @throws ReeveError `not-found`, `privilege`, or `config` where the file is readable by others or empty. */
export async function readToken(file: string): Promise<string> {
  let text: string;
  let mode: number;
  try {
    mode = (await stat(file)).mode;
    text = (await readFile(file, 'utf8')).trim();
  } catch (error) {
    const code = errorCode(error) === 'ENOENT' ? 'not-found' : 'privilege';
    throw new ReeveError(code, `cannot read the token file ${file}: ${errorMessage(error)}`, {
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
