// What reeve top shows and how keys change it. Pure: keys and facts in, state and orders out.
import type { SocketRecord } from '../../core/records.ts';
import type { DaemonStatus } from '../../daemon/index.ts';

export type View = 'ports' | 'targets';

export interface PortRow {
  /** Stays the same while the socket and its holder do. */
  key: string;
  protocol: 'tcp' | 'udp';
  address: string;
  port: number;
  pid: number | null;
  name: string;
  user: string;
  startedAt: string | null;
  command: string;
}

export interface TargetRow {
  key: string;
  listener: string;
  target: string;
  instance: string;
  state: string;
  weight: number;
  open: number;
  total: number;
  failures: number;
}

export interface Dialog {
  lines: string[];
  /** What `y` does. */
  order: Order;
}

export type Order =
  | { kind: 'plan-free'; row: PortRow }
  | { kind: 'free' }
  | { kind: 'drain'; row: TargetRow; resume: boolean };

export interface TopState {
  view: View;
  ports: PortRow[];
  targets: TargetRow[];
  /** Why there are no targets: no daemon. Null while one answers. */
  noDaemon: string | null;
  sort: Record<View, number>;
  filter: string;
  typing: boolean;
  selected: Record<View, string | null>;
  dialog: Dialog | null;
  message: string;
  help: boolean;
}

export const sorts = {
  ports: ['port', 'name', 'user', 'age'],
  targets: ['listener', 'open', 'total', 'failures'],
} as const;

export function initialState(): TopState {
  return {
    ...{ view: 'ports', ports: [], targets: [], noDaemon: null, sort: { ports: 0, targets: 0 } },
    ...{ filter: '', typing: false, selected: { ports: null, targets: null } },
    ...{ dialog: null, message: '', help: false },
  };
}

export function portRows(sockets: SocketRecord[]): PortRow[] {
  return sockets.flatMap(({ protocol, address, port, holders, hidden }) =>
    (holders.length > 0 ? holders : [null]).map((holder) => ({
      key: `${protocol} ${address} ${port} ${holder?.pid ?? ''}`,
      ...{ protocol, address, port, pid: holder?.pid ?? null },
      name: holder?.name ?? (hidden ? '(hidden)' : '(nobody)'),
      user: holder?.user ?? '-',
      startedAt: holder?.startedAt ?? null,
      command: holder?.command ?? '',
    })),
  );
}

export function targetRows({ listeners }: DaemonStatus): TargetRow[] {
  return listeners.flatMap(({ name, targets }) =>
    targets.map((is) => ({
      key: `${name} ${is.id}`,
      ...{ listener: name, target: is.id, instance: is.instance ?? '-', weight: is.weight },
      state: is.draining ? 'draining' : is.ejectedUntil ? 'ejected' : is.verdict,
      ...{ open: is.connections.active, total: is.connections.total, failures: is.failures },
    })),
  );
}

/** What is shown, in order. */
export function visiblePorts({ ports, filter, sort }: TopState): PortRow[] {
  const by = sorts.ports[sort.ports]!;
  const order: Record<typeof by, (a: PortRow, b: PortRow) => number> = {
    port: () => 0,
    name: (a, b) => compare(a.name, b.name),
    user: (a, b) => compare(a.user, b.user),
    // The youngest first: what was started a moment ago is what one looks for.
    age: (a, b) => compare(b.startedAt ?? '', a.startedAt ?? ''),
  };
  return ports
    .filter((row) =>
      matches(
        filter,
        `${row.protocol} ${row.address}:${row.port} ${row.pid} ${row.name} ${row.user} ${row.command}`,
      ),
    )
    .sort((a, b) => order[by](a, b) || a.port - b.port || compare(a.key, b.key));
}

export function visibleTargets({ targets, filter, sort }: TopState): TargetRow[] {
  const by = sorts.targets[sort.targets]!;
  return targets
    .filter((row) => matches(filter, `${row.listener} ${row.target} ${row.instance} ${row.state}`))
    .sort((a, b) => (by === 'listener' ? 0 : b[by] - a[by]) || compare(a.key, b.key));
}

export function visible(state: TopState): (PortRow | TargetRow)[] {
  return state.view === 'ports' ? visiblePorts(state) : visibleTargets(state);
}

/** The place of the selected row; the first where it is gone. */
export function selectedIndex(state: TopState): number {
  const rows = visible(state);
  return Math.max(
    0,
    rows.findIndex(({ key }) => key === state.selected[state.view]),
  );
}

export type Pressed = { state: TopState; order?: Order; quit?: true };

/** `key` is a name (`up`, `escape`, `ctrl-c`…) or the character itself. */
export function press(state: TopState, key: string, page: number): Pressed {
  if (key === 'ctrl-c') return { state, quit: true };
  if (state.dialog) {
    const { order } = state.dialog;
    if (key === 'y') return { state: { ...state, dialog: null, message: '' }, order };
    if (['n', 'q', 'escape', 'enter'].includes(key))
      return { state: { ...state, dialog: null, message: 'nothing was touched' } };
    return { state };
  }
  if (state.typing) return { state: type(state, key) };
  if (state.help) return { state: { ...state, help: false } };
  switch (key) {
    case 'q':
      return { state, quit: true };
    case '?':
    case 'h':
      return { state: { ...state, help: true } };
    case 'tab':
      return { state: { ...state, view: state.view === 'ports' ? 'targets' : 'ports', message: '' } };
    case 's': {
      const next = (state.sort[state.view] + 1) % sorts[state.view].length;
      return { state: { ...state, sort: { ...state.sort, [state.view]: next } } };
    }
    case '/':
      return { state: { ...state, typing: true, message: '' } };
    case 'escape':
      return { state: { ...state, filter: '', message: '' } };
    case 'f':
    case 'd':
    case 'u':
      return act(state, key);
    default:
      return { state: move(state, key, page) };
  }
}

function act(state: TopState, key: 'f' | 'd' | 'u'): Pressed {
  const at = selectedIndex(state);
  if ((key === 'f') !== (state.view === 'ports')) {
    const where = key === 'f' ? 'a port: press tab' : 'a target: press tab';
    return { state: { ...state, message: `${key} is for ${where}` } };
  }
  if (state.view === 'ports') {
    const row = visiblePorts(state)[at];
    return row ? { state, order: { kind: 'plan-free', row } } : { state };
  }
  const row = visibleTargets(state)[at];
  if (!row) return { state };
  const order: Order = { kind: 'drain', row, resume: key === 'u' };
  if (key === 'u') return { state, order };
  const lines = [
    `Send no new connections to ${row.target} of ${row.listener}?`,
    'Those that are open go on.',
  ];
  return { state: { ...state, dialog: { lines, order } } };
}

function type(state: TopState, key: string): TopState {
  if (key === 'enter') return { ...state, typing: false };
  if (key === 'escape') return { ...state, typing: false, filter: '' };
  if (key === 'backspace') return { ...state, filter: [...state.filter].slice(0, -1).join('') };
  if ([...key].length !== 1 || state.filter.length >= 60) return state;
  return { ...state, filter: state.filter + key };
}

function move(state: TopState, key: string, page: number): TopState {
  const steps: Record<string, number> = {
    ...{ up: -1, k: -1, down: 1, j: 1, 'page-up': -page, 'page-down': page },
    ...{ home: -Infinity, g: -Infinity, end: Infinity, G: Infinity },
  };
  const step = steps[key];
  const rows = visible(state);
  if (step === undefined || rows.length === 0) return state;
  const to = Math.min(rows.length - 1, Math.max(0, selectedIndex(state) + step));
  return { ...state, selected: { ...state.selected, [state.view]: rows[to]!.key } };
}

const matches = (filter: string, text: string) => text.toLowerCase().includes(filter.toLowerCase());

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
