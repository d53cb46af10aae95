// Results of check and wait, a line each.
import { formatDuration } from '../../core/quantity.ts';
import type { CheckResult } from '../../core/records.ts';
import type { Io } from '../io.ts';

interface Words {
  up: string;
  down: string;
  unknown: string;
  degraded?: string;
}

const verdictWords: Words = { up: 'up', down: 'down', unknown: 'unknown' };

export function renderChecks(results: CheckResult[], io: Io, words: Words = verdictWords): void {
  const { colors } = io;
  const worst = words.degraded ?? 'degraded';
  const width = Math.max(7, ...(results.some(({ degraded }) => degraded) ? [worst.length] : []));
  const label = (mark: string, word: string) => `${mark} ${word.padEnd(width)}`;
  const marks = {
    up: colors.green(label('✓', words.up)),
    down: colors.red(label('✗', words.down)),
    unknown: colors.yellow(label('?', words.unknown)),
  };
  for (const { url, verdict, degraded, ms, reason, detail } of results) {
    const took = ms === null ? '' : colors.dim(`  ${formatDuration(ms)}`);
    const found = [reason, detail].filter((text) => text !== null).join(': ');
    const mark = degraded ? colors.yellow(label('!', worst)) : marks[verdict];
    io.out(`${mark}  ${colors.bold(url)}${took}${found ? `  ${found}` : ''}`);
  }
}
