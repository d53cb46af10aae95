// The processes that /proc lists (proc(5)).
import { readdirSync } from 'node:fs';
import { ReeveError } from '../../core/errors.ts';

/** Whether a number can name one process. */
export function isProcessId(pid: number): boolean {
  return Number.isSafeInteger(pid) && pid > 0;
}

/** @throws ReeveError `unsupported` where /proc is missing, as in a bare chroot. */
export function listPids(): number[] {
  let names: string[];
  try {
    names = readdirSync('/proc');
  } catch (cause) {
    throw new ReeveError('unsupported', 'cannot list processes: /proc cannot be read', {
      hint: 'Mount it: mount -t proc proc /proc',
      cause,
    });
  }
  return names.filter((name) => /^\d+$/.test(name)).map(Number);
}
