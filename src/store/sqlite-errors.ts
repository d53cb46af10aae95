// What SQLite's errors mean for whoever asked.
import path from 'node:path';
import { errorCode, errorMessage, ReeveError } from '../core/errors.ts';

/**
 * By SQLite's own words, one phrase for each result code (sqlite3_errstr): where rows are read,
 * @photostructure/sqlite 1.2 passes on nothing else.
 */
const phrases = {
  busy: /database is locked$/,
  denied: /(unable to open database file|attempt to write a readonly database|access permission denied)$/,
  full: /database or disk is full$/,
  damaged: /(file is not a database|database disk image is malformed)$/,
};

const means = (error: unknown, kind: keyof typeof phrases) => phrases[kind].test(errorMessage(error));

/** Another process, or another connection of this one, is writing. */
export const isBusy = (error: unknown) => means(error, 'busy');

/** As a ReeveError, where it is one that a user can do something about. */
export function explained(error: unknown, file: string): unknown {
  if (error instanceof ReeveError) return error;
  const code = errorCode(error) ?? '';
  if (isBusy(error)) {
    return new ReeveError('timeout', `${file} is busy: another process has been writing for too long`, {
      hint: `See who has it open: lsof ${file}`,
      cause: error,
    });
  }
  if (['EACCES', 'EPERM', 'EROFS'].includes(code) || means(error, 'denied')) {
    return new ReeveError('privilege', `cannot write ${file}: ${errorMessage(error)}`, { cause: error });
  }
  if (['ENOSPC', 'EDQUOT'].includes(code) || means(error, 'full')) {
    return new ReeveError('unreachable', `cannot write ${file}: there is no room left on its disk`, {
      hint: `See what fills it: df -h ${path.dirname(file)}`,
      cause: error,
    });
  }
  if (means(error, 'damaged')) {
    return new ReeveError('config', `${file} is not a database of reeve, or is damaged`, {
      hint: 'Move it away: a new one is made',
      cause: error,
    });
  }
  return error;
}
