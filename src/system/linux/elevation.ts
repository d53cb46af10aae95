// More rights on Unix: sudo asks in the terminal, so the command to copy is what can be given.
import type { Elevation } from '../elevation.ts';

export const unixElevation: Elevation = {
  has: () => process.geteuid?.() === 0,
  words: (program) => ['sudo', ...program].map(quoted).join(' '),
  run: async () => null,
};

/** For a shell. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
