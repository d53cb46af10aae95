// Results of check and wait, a line each.
import { formatDuration } from '../../core/quantity.ts';
import type { CheckResult } from '../../core/records.ts';
import type { Io } from '../io.ts';

export function renderChecks(results: CheckResult[], io: Io): void {
  const { colors } = io;
  const marks = {
    up: colors.green('✓ up     '),
    down: colors.red('✗ down   '),
    unknown: colors.yellow('? unknown'),
  };
  for (const { url, verdict, ms, reason, detail } of results) {
    const took = ms === null ? '' : colors.dim(`  ${formatDuration(ms)}`);
    const words = [reason, detail].filter((text) => text !== null).join(': ');
    io.out(`${marks[verdict]}  ${colors.bold(url)}${took}${words ? `  ${words}` : ''}`);
  }
}
