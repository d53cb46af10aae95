// reeve who: the command line of ports/who.
import { exit } from '../../core/errors.ts';
import type { WhoRecord } from '../../core/records.ts';
import { action, command, type Define, json } from '../define.ts';
import type { Io } from '../io.ts';

interface Options {
  allStates?: boolean;
  allNamespaces?: boolean;
  tree?: boolean;
  watch?: boolean;
}

export const whoCommand: Define = (io) =>
  command(
    'who',
    'say who holds a port: process, user, command, folder, age, parents, unit, container',
    `
reeve who                       every listening socket
reeve who 3000 udp:53           whoever has TCP or UDP port 3000, or UDP port 53
reeve who 127.0.0.1:5432 8000-8100
reeve who name:node pid:4711    all that these processes listen on
reeve who 3000 --all-states     connections too
reeve who --watch               what opens and closes, as it happens`,
  )
    .argument('[target...]', '3000, :3000, 3000-3010, udp:53, [::1]:8080, pid:123, name:node')
    .option('-a, --all-states', 'also sockets that are connected, closing or waiting')
    .option('-N, --all-namespaces', 'also other network namespaces (containers), each marked')
    .option('-t, --tree', 'show the parents of each holder')
    .option('-w, --watch', 'print changes until interrupted')
    .action(action<Options>(io, (operands, options) => run(io, operands, options)));

async function run(
  io: Io,
  operands: string[],
  options: Options & { json?: boolean; quiet?: boolean },
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
  const record = await who(system, targets, options);
  if (options.json) io.out(json(record));
  else await renderWho(record, { ...options, asked: operands }, io);
  return exitCode(record, operands.length > 0);
}

function exitCode({ sockets }: WhoRecord, asked: boolean): number {
  if (!asked) return exit.done;
  if (sockets.length === 0) return exit.no;
  return sockets.some(({ hidden }) => hidden) ? exit.unknown : exit.done;
}
