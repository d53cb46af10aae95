// An explained bind for a person: verdict first, then each cause with evidence and remedies.
import type { CauseRecord, WhyRecord } from '../../core/records.ts';
import type { Io } from '../io.ts';

export function renderWhy({ endpoint, verdict, error, causes }: WhyRecord, quiet: boolean, io: Io): void {
  const { colors } = io;
  const paint = { free: colors.green, held: colors.red, refused: colors.red, unknown: colors.yellow }[
    verdict
  ];
  const said = error ? colors.dim(`  (${error.syscall}: ${error.code})`) : '';
  const headline = io.say(`${endpoint} is ${verdict}`).slice(endpoint.length);
  const word = io.say(verdict);
  const at = headline.lastIndexOf(word);
  io.out(`${colors.bold(endpoint)}${headline.slice(0, at)}${paint(colors.bold(word))}${said}`);
  if (quiet) return;
  if (causes.length === 0 && verdict === 'free') {
    io.out(`  ${io.say('bind and listen worked, and the socket table has nobody on it')}`);
    return;
  }
  causes.forEach((cause, i) => {
    renderCause(cause, causes.length > 1 ? `${i + 1}. ` : '', io);
  });
}

function renderCause(cause: CauseRecord, number: string, io: Io): void {
  const { colors } = io;
  const sure = { certain: colors.red, likely: colors.yellow, possible: colors.cyan }[cause.confidence];
  io.out(`\n${number}${cause.summary}`);
  io.out(`   ${colors.dim(cause.id)} · ${sure(io.say(cause.confidence))}`);
  for (const line of cause.evidence) io.out(`   ${colors.dim('·')} ${line}`);
  if (cause.remedies.length === 0) return;
  io.out(`   ${io.say('What to do')}`);
  for (const { title, command } of cause.remedies) {
    io.out(`   → ${title}`);
    if (command) io.out(`     ${colors.green(`$ ${command}`)}`);
  }
}
