// Sockets and holders for a person: a story where few were asked for, a table where there are many.
import { formatHostPort } from '../../core/endpoint.ts';
import { formatDuration } from '../../core/quantity.ts';
import type { HolderRecord, SocketRecord, WhoRecord } from '../../core/records.ts';
import { plural, shortCommand } from '../../core/text.ts';
import type { WhoChange } from '../../ports/index.ts';
import type { Io } from '../io.ts';
import { renderTable } from './table.ts';

interface Options {
  quiet?: boolean;
  tree?: boolean;
  allStates?: boolean;
  /** The targets as they were typed; none: everything. */
  asked: string[];
}

const storyLimit = 3;

export async function renderWho(record: WhoRecord, options: Options, io: Io): Promise<void> {
  const { sockets } = record;
  const asked = options.asked.length > 0;
  if (sockets.length === 0) {
    if (options.quiet) return;
    io.out(asked ? nobody(options.asked) : 'Nothing is listening.');
    if (asked && !options.allStates) {
      io.out(io.colors.dim(`There may be connections: reeve who ${options.asked.join(' ')} --all-states`));
    }
    return;
  }
  if (options.tree || (asked && sockets.length <= storyLimit)) {
    sockets.forEach((socket, i) => {
      if (i > 0) io.out('');
      renderStory(socket, options.tree ?? false, io);
    });
  } else {
    await renderSockets(sockets, io);
  }
  if (!options.quiet) renderSummary(sockets, io);
}

function nobody(asked: string[]): string {
  const processes = asked.every((each) => /^(pid|name):/i.test(each));
  return processes ? `Nothing of ${asked.join(', ')} is listening.` : `Nobody has ${asked.join(', ')}.`;
}

function place(socket: SocketRecord): string {
  return `${formatHostPort(socket.address, socket.port)}${socket.peer ? ` → ${socket.peer}` : ''}`;
}

async function renderSockets(sockets: SocketRecord[], io: Io): Promise<void> {
  const { colors } = io;
  const spread = sockets.flatMap((socket) =>
    (socket.holders.length > 0 ? socket.holders : [null]).map((holder) => ({ socket, holder })),
  );
  const foreign = sockets.some(({ namespace }) => namespace !== null);
  await renderTable(
    [
      { title: 'PROTO' },
      {
        title: 'ADDRESS',
        style: (text) => colors.cyan(text),
        flexible: sockets.some(({ peer }) => peer !== null),
      },
      {
        title: 'STATE',
        style: (text) => (/^(listen|unconnected)/.test(text) ? colors.green(text) : colors.yellow(text)),
      },
      { title: 'PID', align: 'right' },
      {
        title: 'NAME',
        style: (text, row) => (spread[row]!.holder ? colors.bold(text) : colors.yellow(text)),
      },
      { title: 'USER' },
      { title: 'AGE', align: 'right' },
      ...(foreign ? [{ title: 'NAMESPACE' }] : []),
      { title: 'COMMAND', flexible: true },
    ],
    spread.map(({ socket, holder }) => [
      socket.protocol,
      place(socket),
      socket.state,
      holder ? String(holder.pid) : '-',
      holder?.name ?? (socket.hidden ? '(hidden)' : '(nobody)'),
      holder?.user ?? '-',
      holder ? age(holder) : '-',
      ...(foreign ? [socket.namespace ?? '-'] : []),
      holder ? describe(holder, io) : '',
    ]),
    io,
  );
}

function describe({ container, unit, command, name }: HolderRecord, io: Io): string {
  const label = container
    ? `[container ${container.slice(0, 12)}] `
    : unit?.endsWith('.service')
      ? `[${unit}] `
      : '';
  // Whole where it goes to another program.
  return `${label}${io.columns === null ? (command ?? name) : shortCommand(command ?? name)}`;
}

function age({ startedAt }: HolderRecord): string {
  return startedAt ? formatDuration(Math.max(0, Date.now() - Date.parse(startedAt))).split(' ')[0]! : '-';
}

function renderStory(socket: SocketRecord, tree: boolean, io: Io): void {
  const { colors } = io;
  io.out(
    `${colors.bold(`${socket.protocol} ${place(socket)}`)}  ${colors.green(socket.state)}${socket.namespace ? `  in ${socket.namespace}` : ''}`,
  );
  if (socket.hidden) io.out(`  ${colors.yellow('holder hidden:')} ${socket.hidden.reason}`);
  else if (socket.holders.length === 0) io.out('  held by    no process: it is the remains of a connection');
  socket.holders.forEach((holder, i) => {
    if (i > 0) io.out('');
    renderHolder(holder, tree, io);
  });
}

function renderHolder(holder: HolderRecord, tree: boolean, io: Io): void {
  const { colors } = io;
  const line = (label: string, text: string) => io.out(`  ${colors.dim(label.padEnd(10))} ${text}`);
  line(
    'held by',
    `${colors.bold(holder.name)} (PID ${holder.pid}${holder.user ? `, user ${holder.user}` : ''})`,
  );
  if (holder.command) line('command', holder.command);
  if (holder.cwd) line('folder', holder.cwd);
  if (holder.startedAt) {
    const since = formatDuration(Math.max(0, Date.now() - Date.parse(holder.startedAt)));
    line('since', `${holder.startedAt.replace('T', ' ').slice(0, 19)} UTC (${since})`);
  }
  if (holder.unit) line('unit', holder.unit);
  if (holder.container) line('container', holder.container.slice(0, 12));
  if (holder.ancestors.length === 0) return;
  if (!tree) {
    line('started by', holder.ancestors.map(({ name, pid }) => `${name} (${pid})`).join(' ← '));
    return;
  }
  const chain = [...holder.ancestors].reverse();
  chain.forEach(({ name, pid }, depth) => {
    line(depth === 0 ? 'tree' : '', `${'  '.repeat(depth)}${depth > 0 ? '└ ' : ''}${name} (${pid})`);
  });
  line('', `${'  '.repeat(chain.length)}└ ${colors.bold(`${holder.name} (${holder.pid})`)}`);
}

function renderSummary(sockets: SocketRecord[], io: Io): void {
  const pids = new Set(sockets.flatMap(({ holders }) => holders.map(({ pid }) => pid)));
  io.out(
    io.colors.dim(`\n${plural(sockets.length, 'socket')}, ${plural(pids.size, 'process', 'processes')}`),
  );
  const hidden = sockets.filter((socket) => socket.hidden);
  if (hidden.length === 0) return;
  const needsRoot = hidden.some((socket) => socket.hidden?.needs === 'root');
  io.out(
    io.colors.yellow(
      `${plural(hidden.length, 'holder')} hidden${needsRoot ? ': run it with sudo to see processes of other users' : `: ${hidden[0]!.hidden!.reason}`}`,
    ),
  );
}

export function renderChange({ at, change, socket }: WhoChange, io: Io): string {
  const { colors } = io;
  const mark = change === 'opened' ? colors.green('+ opened') : colors.red('- closed');
  const holders = socket.holders.map(({ name, pid }) => `${name} (PID ${pid})`).join(', ');
  return `${colors.dim(at.slice(11, 19))} ${mark}  ${socket.protocol} ${place(socket)}  ${socket.state}  ${holders || (socket.hidden ? '(hidden)' : '')}`;
}
