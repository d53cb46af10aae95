// doctor's findings, a line each, with remedies under what is not in order.
import type { Finding } from '../../ports/index.ts';
import type { Io } from '../io.ts';
import { measureFor } from './measure.ts';

export async function renderFindings(findings: Finding[], quiet: boolean, io: Io): Promise<void> {
  const measure = await measureFor(findings.map(({ subject }) => [subject]));
  const { colors } = io;
  const marks = { ok: colors.green('ok  '), warn: colors.yellow('warn'), fail: colors.red('fail') };
  const width = Math.max(...findings.map(({ subject }) => measure.width(subject)));
  for (const { subject, verdict, message, remedy } of findings) {
    if (quiet && verdict === 'ok') continue;
    io.out(
      `${marks[verdict]}  ${colors.bold(subject + ' '.repeat(width - measure.width(subject)))}  ${message}`,
    );
    if (remedy && verdict !== 'ok') io.out(`${' '.repeat(width + 8)}→ ${remedy}`);
  }
}
