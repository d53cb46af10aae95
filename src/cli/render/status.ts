// What the daemon told, as tables and lines.
import { formatDuration, formatSize } from '../../core/quantity.ts';
import { plural, printable } from '../../core/text.ts';
import type {
  DaemonStatus,
  DatagramStatus,
  RecordedEvent,
  ReloadResult,
  TargetStatus,
} from '../../daemon/index.ts';
import type { Io } from '../io.ts';
import { instanceColumns, instanceRow } from './instances.ts';
import { type Column, renderTable } from './table.ts';

export function verdictStyle({ colors }: Io): (text: string) => string {
  return (text) => {
    if (/^(up|ready|yes|finished)\b/.test(text)) return colors.green(text);
    return /^(down|no|crash)/.test(text) ? colors.red(text) : colors.yellow(text);
  };
}

export async function renderStatus(status: DaemonStatus, io: Io): Promise<void> {
  const { colors } = io;
  const state = status.state === 'ready' ? colors.green(status.state) : colors.yellow(status.state);
  const age = formatDuration(Math.max(0, Date.now() - Date.parse(status.startedAt)));
  io.out(
    `${colors.bold('reeve')} ${status.version} is ${state}, PID ${status.pid}, for ${age}, on http://${status.control}`,
  );
  const section = async (title: string, columns: Column[], rows: string[][]) => {
    if (rows.length === 0) return;
    io.out(`\n${colors.bold(title)}`);
    await renderTable(columns, rows, io);
  };
  const verdict = verdictStyle(io);
  await section(
    'Listeners',
    [
      { title: 'NAME' },
      { title: 'ADDRESS' },
      { title: 'LISTENING', style: verdict },
      { title: 'SERVES' },
      { title: 'ENGINE' },
      { title: 'OPEN', align: 'right' },
      { title: 'TOTAL', align: 'right' },
      { title: 'IN', align: 'right' },
      { title: 'OUT', align: 'right' },
    ],
    status.listeners.flatMap(({ name, binds, serves, engine, connections, bytes }) =>
      binds.map((bind) => [
        name,
        bind.address,
        bind.listening ? (bind.verified === false ? 'unverified' : 'yes') : 'no',
        serves,
        engine,
        String(connections.active),
        String(connections.total),
        formatSize(bytes.received),
        formatSize(bytes.sent),
      ]),
    ),
  );
  await section(
    'Datagrams',
    [
      { title: 'LISTENER' },
      { title: 'RECEIVED', align: 'right' },
      { title: 'SENT', align: 'right' },
      { title: 'DROPPED', align: 'right' },
      { title: 'WHY', flexible: true },
    ],
    status.listeners.flatMap(({ name, datagrams }) =>
      datagrams ? [[name, ...datagramCells(datagrams)]] : [],
    ),
  );
  await section(
    'Targets',
    [
      { title: 'LISTENER' },
      { title: 'TARGET' },
      { title: 'STATE', style: verdict },
      { title: 'INSTANCE' },
      { title: 'WEIGHT', align: 'right' },
      { title: 'OPEN', align: 'right' },
      { title: 'TOTAL', align: 'right' },
      { title: 'FAILURES', align: 'right' },
    ],
    status.listeners.flatMap(({ name, targets }) =>
      targets.map((target) => [
        name,
        target.id,
        targetStateOf(target),
        target.instance ?? '-',
        weightOf(target),
        String(target.connections.active),
        String(target.connections.total),
        String(target.failures),
      ]),
    ),
  );
  for (const { name, panic, waiting } of status.listeners) {
    if (panic) io.out(colors.red(`${name}: too few targets are fit, so that all get connections`));
    if (waiting > 0) io.out(colors.yellow(`${name}: ${waiting} connections wait for a place at a target`));
  }
  await section(
    'Services',
    instanceColumns(verdict),
    status.services.flatMap(({ instances }) => instances.map(instanceRow)),
  );
  for (const { name, configured, instances } of status.services) {
    if (instances.length === configured) continue;
    io.out(colors.yellow(`${name} is scaled to ${instances.length}; the configuration says ${configured}`));
  }
  await section(
    'Checks',
    [
      { title: 'NAME' },
      { title: 'STATE', style: verdict },
      { title: 'URL' },
      { title: 'TOOK', align: 'right' },
      { title: 'DETAIL', flexible: true },
    ],
    status.checks.map((check) => [
      check.name,
      stateOf(check),
      check.url,
      check.ms === null ? '-' : formatDuration(check.ms),
      [check.reason, check.detail].filter((text) => text !== null).join(': '),
    ]),
  );
  renderRegistry(status, io);
  await section(
    'Maintenance',
    [{ title: 'SUBJECT' }, { title: 'UNTIL' }],
    status.maintenance.map(({ subject, until }) => [subject, until]),
  );
  if (status.gateway?.reached === false) {
    io.out(
      colors.yellow(
        `\nthe gateway ${status.gateway.url} does not answer: failures beyond this machine say nothing`,
      ),
    );
  }
  await section(
    'Sinks',
    [
      { title: 'NAME' },
      { title: 'KIND' },
      { title: 'STATE', style: verdict },
      { title: 'ACCEPTED', align: 'right' },
      { title: 'DELIVERED', align: 'right' },
      { title: 'SPOOLED', align: 'right' },
      { title: 'DROPPED', align: 'right' },
      { title: 'BYTES', align: 'right' },
      { title: 'DETAIL', flexible: true },
    ],
    status.sinks.map(({ name, kind, failure, note, accepted, delivered, spooled, dropped, bytes }) => [
      name,
      kind,
      failure === null ? 'up' : 'down',
      String(accepted),
      String(delivered),
      String(spooled),
      String(Object.values(dropped).reduce((sum, count) => sum + count, 0)),
      formatSize(bytes),
      failure ?? note ?? '',
    ]),
  );
}

/** Nothing to say of the daemon's own while nobody follows it. */
function renderRegistry({ registry }: DaemonStatus, io: Io): void {
  const { colors } = io;
  const { kind, address, state, detail, announced, watches } = registry;
  if (kind === 'embedded' && watches.length === 0) return;
  const word = state === 'ok' ? colors.green(state) : colors.red(state);
  const outOf = announced.filter(({ standing }) => standing === 'pass').length;
  io.out(
    `\n${colors.bold('Registry')}  ${kind}${address ? ` on ${address}` : ''} is ${word}${detail ? `: ${printable(detail)}` : ''}`,
  );
  io.out(`  announced ${announced.length}, passing ${outOf}`);
  for (const { service, instances, stale } of watches) {
    const doubt = stale === null ? '' : colors.yellow(`; kept as it was: ${printable(stale)}`);
    io.out(`  follows ${service}: ${plural(instances, 'instance')}${doubt}`);
  }
}

/** `up`, `up, degraded`, `down, held: dependency`. */
function stateOf({ verdict, degraded, flapping, held }: DaemonStatus['checks'][number]): string {
  const notes = [
    degraded && 'degraded',
    flapping && 'flapping',
    held && held !== 'flapping' && `held: ${held}`,
  ];
  return [verdict, ...notes.filter(Boolean)].join(', ');
}

/** What a person or its connections say comes before its health. */
function datagramCells({ received, sent, dropped }: DatagramStatus): string[] {
  const reasons = Object.entries(dropped);
  const all = reasons.reduce((sum, [, times]) => sum + times, 0);
  const why = reasons.map(([reason, times]) => `${reason} ${times}`).join(', ');
  return [String(received), String(sent), String(all), why];
}

function targetStateOf({ verdict, draining, ejectedUntil, connections }: TargetStatus): string {
  if (draining) return connections.active > 0 ? 'draining' : 'drained';
  return ejectedUntil === null ? verdict : `ejected until ${ejectedUntil.slice(11, 19)}`;
}

function weightOf({ weight, effectiveWeight }: TargetStatus): string {
  return effectiveWeight < weight
    ? `${Math.round((100 * effectiveWeight) / weight)}% of ${weight}`
    : String(weight);
}

export function renderReload(result: ReloadResult, io: Io): void {
  const { colors } = io;
  if (!result.changes) {
    io.out('nothing has changed');
    return;
  }
  for (const section of ['services', 'listeners', 'sinks', 'checks'] as const) {
    for (const [change, names] of Object.entries(result[section])) {
      for (const name of names) io.out(`${colors.green('✓')} ${section.slice(0, -1)} ${name} ${change}`);
    }
  }
  if (result.ports) io.out(`${colors.green('✓')} ports: for new ones`);
  for (const section of result.restart) {
    io.out(`${colors.yellow('!')} ${section}: changes with the next start of the daemon only`);
  }
}

export function renderEvent({ time, kind, subject, message }: RecordedEvent, io: Io): string {
  return `${io.colors.dim(time.slice(11, 19))}  ${io.colors.cyan(kind.padEnd(8))}  ${subject}: ${printable(message)}`;
}
