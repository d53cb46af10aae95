// A screen of reeve top: the state as lines that fit the terminal.
import { formatHostPort } from '../../core/endpoint.ts';
import { formatDuration } from '../../core/quantity.ts';
import { printable, shortCommand } from '../../core/text.ts';
import type { Io } from '../io.ts';
import { type Column, renderTable } from '../render/table.ts';
import {
  type PortRow,
  selectedIndex,
  sorts,
  type TargetRow,
  type TopState,
  visiblePorts,
  visibleTargets,
} from './state.ts';

export interface Size {
  columns: number;
  rows: number;
}

/** Title, table head, message and keys. */
const frame = 5;

export const pageOf = ({ rows }: Size) => Math.max(1, rows - frame);

export async function draw(state: TopState, size: Size, io: Io): Promise<string[]> {
  const { colors } = io;
  const cut = (text: string) => [...text].slice(0, size.columns).join('');
  const title = [
    colors.bold('reeve top'),
    ...(['ports', 'targets'] as const).map((view) =>
      view === state.view ? colors.inverse(` ${view} `) : ` ${view} `,
    ),
    colors.dim(`by ${sorts[state.view][state.sort[state.view]]}`),
    ...(state.filter || state.typing ? [colors.cyan(`/${state.filter}${state.typing ? '_' : ''}`)] : []),
  ].join('  ');
  const body = state.help ? helpLines : state.dialog ? [] : await table(state, size, io);
  const question = state.dialog
    ? [...state.dialog.lines.map(cut), '', colors.bold('y: do it   n: leave it')]
    : [];
  const filled = [...body, ...question].slice(0, size.rows - 3);
  const blank = Array.from({ length: Math.max(0, size.rows - 3 - filled.length) }, () => '');
  return [
    title,
    ...filled,
    ...blank,
    colors.yellow(cut(printable(state.message))),
    colors.dim(cut(keyLine(state))),
  ];
}

function keyLine({ view, dialog, typing, help }: TopState): string {
  if (dialog) return 'y yes  n no';
  if (typing) return 'type to filter  enter keep  esc clear';
  if (help) return 'any key goes back';
  const own = view === 'ports' ? 'f free' : 'd drain  u undrain';
  return `q quit  tab ${view === 'ports' ? 'targets' : 'ports'}  s sort  / filter  ${own}  ? help`;
}

const helpLines = [
  '',
  '  up, down, j, k    choose a row        page up, page down, home, end',
  '  tab               ports of this machine, or targets of the daemon',
  '  s                 sort by the next column',
  '  /                 filter: part of a name, port, PID, user or command; esc clears it',
  '  f                 free the port: shows the plan, and asks',
  '  d, u              drain the target after a question; take it back',
  '  q, Ctrl-C         quit',
];

async function table(state: TopState, size: Size, io: Io): Promise<string[]> {
  const lines: string[] = [];
  const into: Io = { ...io, columns: size.columns, out: (line) => lines.push(line) };
  const page = pageOf(size);
  const selected = selectedIndex(state);
  const first = Math.max(0, selected - page + 1);
  if (state.view === 'ports') {
    const rows = visiblePorts(state);
    const shown = rows.slice(first, first + page);
    await renderTable(portColumns, shown.map(portCells), into);
    if (rows.length === 0) lines.push(state.filter ? 'nothing matches' : 'nothing is listening');
  } else if (state.noDaemon) lines.push('', `  ${printable(state.noDaemon)}`);
  else {
    const rows = visibleTargets(state);
    const shown = rows.slice(first, first + page);
    await renderTable(targetColumns, shown.map(targetCells), into);
    if (rows.length === 0) lines.push(state.filter ? 'nothing matches' : 'no listener has targets');
  }
  const at = 1 + selected - first;
  return lines.map((line, i) => (i === at && state[state.view].length > 0 ? io.colors.inverse(line) : line));
}

const portColumns: Column[] = [
  { title: 'PROTO' },
  { title: 'ADDRESS', flexible: true },
  { title: 'PID', align: 'right' },
  { title: 'NAME', flexible: true },
  { title: 'USER', flexible: true },
  { title: 'AGE', align: 'right' },
  { title: 'COMMAND', flexible: true },
];

function portCells(row: PortRow): string[] {
  const age = row.startedAt
    ? formatDuration(Math.max(0, Date.now() - Date.parse(row.startedAt))).split(' ')[0]!
    : '-';
  return [
    ...[row.protocol, formatHostPort(row.address, row.port), row.pid === null ? '-' : String(row.pid)],
    ...[printable(row.name), printable(row.user), age, shortCommand(printable(row.command))],
  ];
}

const targetColumns: Column[] = [
  { title: 'LISTENER', flexible: true },
  { title: 'TARGET', flexible: true },
  { title: 'INSTANCE', flexible: true },
  { title: 'STATE' },
  ...['WEIGHT', 'OPEN', 'TOTAL', 'FAILED'].map((title) => ({ title, align: 'right' as const })),
];

function targetCells(row: TargetRow): string[] {
  return [
    row.listener,
    row.target,
    row.instance,
    row.state,
    ...[row.weight, row.open, row.total, row.failures].map(String),
  ];
}
