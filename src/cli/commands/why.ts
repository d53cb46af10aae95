// reeve why: the command line of ports/why.
import { exit, worstExit } from '../../core/errors.ts';
import { action, type Common, command, type Define, json } from '../define.ts';
import type { Io } from '../io.ts';
import { inLanguage } from '../lang/choose.ts';

interface Options extends Common {
  reuse: boolean;
  v6only?: boolean;
}

const exitByVerdict = { free: exit.done, held: exit.no, refused: exit.no, unknown: exit.unknown };

export const whyCommand: Define = (io) =>
  command(
    'why',
    'bind a port for real and explain what the system says, with evidence and remedies',
    `
reeve why 3000                as a server without a host does it: [::]:3000, both families
reeve why 127.0.0.1:3000      exactly this address
reeve why [::]:3000 --v6only  IPv6 alone
reeve why 3000 --no-reuse     as a server that does not set SO_REUSEADDR
reeve why udp:53`,
  )
    .argument('<endpoint...>', 'a port, or host:port; udp: in front for UDP')
    .option('--no-reuse', 'do not set SO_REUSEADDR (TCP sets it by default, as Node does)')
    .option('--v6only', 'set IPV6_V6ONLY')
    .action(action<Options>(io, (operands, options) => run(io, operands, options)));

async function run(io: Io, operands: string[], options: Options): Promise<number> {
  const [{ selectSystem }, { why }] = await Promise.all([
    import('../../system/select.ts'),
    import('../../ports/index.ts'),
  ]);
  const system = await selectSystem();
  const { renderWhy } = await import('../render/why.ts');
  const codes: number[] = [];
  for (const operand of operands) {
    const explained = await why(system, operand, {
      ...(options.reuse ? {} : { reuse: false }),
      v6only: options.v6only ?? false,
    });
    const record = inLanguage(explained, io, options.json);
    if (options.json) io.out(operands.length > 1 ? JSON.stringify(record) : json(record));
    else renderWhy(record, options.quiet ?? false, io);
    codes.push(exitByVerdict[record.verdict]);
  }
  return worstExit(codes);
}
