// Results of check and wait, a line each.
import { formatDuration } from '../../core/quantity.ts';
import type { CheckResult } from '../../core/records.ts';
import type { Io } from '../io.ts';

const verdictWords = { up: 'up', down: 'down', unknown: 'unknown' };

export function renderChecks(results: CheckResult[], io: Io, words = verdictWords): void {
  const { colors } = io;
  const label = (mark: string, word: string) => `${mark} ${word.padEnd(7)}`;
  const marks = {
    up: colors.green(label('✓', words.up)),
    down: colors.red(label('✗', words.down)),
    unknown: colors.yellow(label('?', words.unknown)),
  };
  for (const { url, verdict, ms, reason, detail } of results) {
    const took = ms === null ? '' : colors.dim(`  ${formatDuration(ms)}`);
    const found = [reason, detail].filter((text) => text !== null).join(': ');
    io.out(`${marks[verdict]}  ${colors.bold(url)}${took}${found ? `  ${found}` : ''}`);
  }
}
