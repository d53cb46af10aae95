// reeve who: the command line of ports/who.
import { exit, ReeveError } from '../../core/errors.ts';
import type { WhoRecord } from '../../core/records.ts';
import { action, command, type Define, json } from '../define.ts';
import type { Io } from '../io.ts';

interface Options {
  allStates?: boolean;
  allNamespaces?: boolean;
  tree?: boolean;
  watch?: boolean;
  pick?: boolean;
}

export const whoCommand: Define = (io, program) =>
  command(
    'who',
    'say who holds a port: process, user, command, folder, age, parents, unit, container',
    `
reeve who                       every listening socket
reeve who 3000 udp:53           whoever has TCP or UDP port 3000, or UDP port 53
reeve who 127.0.0.1:5432 8000-8100
reeve who name:node pid:4711    all that these processes listen on
reeve who 3000 --all-states     connections too
reeve who --watch               what opens and closes, as it happens
reeve who --pick                choose one, then why, free, or copy its PID`,
  )
    .argument('[target...]', '3000, :3000, 3000-3010, udp:53, [::1]:8080, pid:123, name:node')
    .option('-a, --all-states', 'also sockets that are connected, closing or waiting')
    .option('-N, --all-namespaces', 'also other network namespaces (containers), each marked')
    .option('-t, --tree', 'show the parents of each holder')
    .option('-w, --watch', 'print changes until interrupted')
    .option('-i, --pick', 'choose one from a list with search, and what to do with it (on a terminal)')
    .action(
      action<Options>(io, (operands, options) => {
        const again = async (args: string[]) => {
          await program.parseAsync(args, { from: 'user' });
          return io.exitCode;
        };
        return run(io, operands, options, again);
      }),
    );

async function run(
  io: Io,
  operands: string[],
  options: Options & { json?: boolean; quiet?: boolean },
  again: (args: string[]) => Promise<number>,
): Promise<number> {
  const [{ selectSystem }, { parseTarget, watchWho, who }] = await Promise.all([
    import('../../system/select.ts'),
    import('../../ports/index.ts'),
  ]);
  const targets = operands.map(parseTarget);
  const system = await selectSystem();
  const { renderChange, renderWho } = await import('../render/who.ts');
  if (options.watch) {
    for await (const change of watchWho(system, targets, options, io.signal)) {
      io.out(options.json ? JSON.stringify(change) : renderChange(change, io));
    }
    return exit.done;
  }
  if (options.pick && (!io.interactive || options.json)) {
    throw new ReeveError('usage', '--pick needs a terminal to choose on', {
      hint: 'Name what you look for: reeve who 3000',
    });
  }
  const record = await who(system, targets, options);
  if (options.pick) {
    const { pick } = await import('../pick.ts');
    return pick(record, io, again);
  }
  if (options.json) io.out(json(record));
  else await renderWho(record, { ...options, asked: operands }, io);
  return exitCode(record, operands.length > 0);
}

function exitCode({ sockets }: WhoRecord, asked: boolean): number {
  if (!asked) return exit.done;
  if (sockets.length === 0) return exit.no;
  return sockets.some(({ hidden }) => hidden) ? exit.unknown : exit.done;
}
