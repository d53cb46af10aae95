// reeve who --pick: a listening socket is chosen from a list with search, then what to do with it.
import { formatHostPort } from '../core/endpoint.ts';
import { exit } from '../core/errors.ts';
import type { SocketRecord, WhoRecord } from '../core/records.ts';
import { printable } from '../core/text.ts';
import type { Io } from './io.ts';

type Deed = 'who' | 'why' | 'free' | 'copy' | 'nothing';

/** `again` runs another command line, as if it had been typed. */
export async function pick(
  { sockets }: WhoRecord,
  io: Io,
  again: (args: string[]) => Promise<number>,
): Promise<number> {
  if (sockets.length === 0) {
    io.out('Nothing is listening.');
    return exit.done;
  }
  const { autocomplete, isCancel, select } = await import('@clack/prompts');
  const chosen = await autocomplete({
    message: 'Which one? Type to search',
    maxItems: 12,
    options: sockets.map((socket, value) => ({ value, label: labelOf(socket), hint: commandOf(socket) })),
  });
  if (isCancel(chosen)) return exit.done;
  const socket = sockets[chosen]!;
  const target = `${socket.protocol}:${formatHostPort(socket.address, socket.port)}`;
  const pid = socket.holders[0]?.pid;
  const deed = await select<Deed>({
    message: target,
    options: [
      { value: 'who', label: 'show all that is known of its holder' },
      { value: 'why', label: 'explain why a bind to it fails' },
      { value: 'free', label: 'free it: shows the plan, and asks' },
      ...(pid === undefined ? [] : [{ value: 'copy' as const, label: `copy PID ${pid}` }]),
      { value: 'nothing', label: 'nothing' },
    ],
  });
  if (isCancel(deed) || deed === 'nothing') return exit.done;
  if (deed !== 'copy') return again([deed, target]);
  // OSC 52: the terminal puts it into its clipboard, also over ssh; one that cannot leaves it out.
  io.host.stdout.write(`\x1b]52;c;${Buffer.from(String(pid)).toString('base64')}\x07`);
  io.out(String(pid));
  return exit.done;
}

function labelOf({ protocol, address, port, holders, hidden }: SocketRecord): string {
  const names = holders.map(({ name, pid }) => `${printable(name)} (${pid})`).join(', ');
  return `${protocol} ${formatHostPort(address, port)}  ${names || (hidden ? '(hidden)' : '(nobody)')}`;
}

function commandOf({ holders }: SocketRecord): string {
  return printable(holders[0]?.command ?? '').slice(0, 60);
}
