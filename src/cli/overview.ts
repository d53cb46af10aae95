// What `reeve` alone says on a terminal: what listens, and what is wrong.
import { errorMessage, exit, isReeveError } from '../core/errors.ts';
import type { SocketRecord } from '../core/records.ts';
import { plural, printable, shortCommand } from '../core/text.ts';
import type { DaemonStatus } from '../daemon/index.ts';
import type { Io } from './io.ts';

/** More is a table of its own: reeve who. */
const mostLines = 12;
/** Milliseconds that the daemon and the lease book may take: this is a glance. */
const within = 2000;

/** @returns exit code 1 where something is wrong. */
export async function overview(io: Io): Promise<number> {
  const [{ selectSystem }, { who }, { renderTable }] = await Promise.all([
    import('../system/select.ts'),
    import('../ports/index.ts'),
    import('./render/table.ts'),
  ]);
  const system = await selectSystem();
  const signal = AbortSignal.any([io.signal, AbortSignal.timeout(within)]);
  const [{ sockets }, daemon, leases] = await Promise.all([
    who(system),
    askDaemon(io, signal),
    readLeases(io, system).catch((error) => ({ count: 0, wrong: [`leases: ${errorMessage(error)}`] })),
  ]);
  const { colors } = io;
  const tcp = sockets.filter(({ protocol }) => protocol === 'tcp');
  const rows = byPort(tcp);
  if (rows.length > 0) {
    await renderTable(
      [
        { title: 'PORT', align: 'right', style: (text) => colors.cyan(text) },
        { title: 'HOLDER', style: (text) => colors.bold(text) },
        { title: 'COMMAND', flexible: true },
      ],
      rows.slice(0, mostLines),
      io,
    );
    if (rows.length > mostLines) io.out(colors.dim(`and ${rows.length - mostLines} more: reeve who`));
  } else io.out('Nothing is listening.');
  const wrong = [...daemon.wrong, ...leases.wrong];
  io.out('');
  io.out(
    `${plural(rows.length, 'TCP port')}, ${plural(sockets.length - tcp.length, 'UDP socket')}, ${plural(leases.count, 'lease')}; ${daemon.line}`,
  );
  for (const line of wrong) io.out(`${colors.red('✗')} ${printable(line)}`);
  if (wrong.length === 0) io.out(`${colors.green('✓')} nothing is wrong`);
  io.out(colors.dim('\nreeve top: live   reeve why <port>: why a bind fails   reeve --help: all commands'));
  return wrong.length > 0 ? exit.no : exit.done;
}

/** A line a port, whatever the addresses. */
function byPort(sockets: SocketRecord[]): string[][] {
  const ports = new Map<number, Map<string, string>>();
  for (const { port, holders, hidden } of sockets) {
    const held = ports.get(port) ?? new Map<string, string>();
    ports.set(port, held);
    for (const { name, pid, command } of holders) held.set(`${name} (${pid})`, command ?? '');
    if (holders.length === 0) held.set(hidden ? '(hidden)' : '(nobody)', '');
  }
  return [...ports]
    .sort(([a], [b]) => a - b)
    .map(([port, held]) => {
      const [[name, command]] = [...held] as [[string, string]];
      const others = held.size > 1 ? ` and ${held.size - 1} more` : '';
      return [String(port), printable(name) + others, shortCommand(printable(command))];
    });
}

interface Part {
  line: string;
  wrong: string[];
}

async function askDaemon(io: Io, signal: AbortSignal): Promise<Part> {
  try {
    const { connectControl } = await import('../daemon/index.ts');
    const control = await connectControl({ env: io.env });
    const status = await control.status(signal);
    const line = `the daemon is ${status.state} on http://${control.address}/`;
    return {
      line,
      wrong: [...(status.state === 'ready' ? [] : [`the daemon is ${status.state}`]), ...troubles(status)],
    };
  } catch (error) {
    const absent = isReeveError(error) && error.code === 'not-found';
    return { line: 'no daemon runs here', wrong: absent ? [] : [`the daemon: ${errorMessage(error)}`] };
  }
}

function troubles({ listeners, services, checks, sinks, registry }: DaemonStatus): string[] {
  return [
    ...listeners.flatMap(({ name, binds, targets, panic }) => [
      ...binds.flatMap((bind) =>
        bind.listening ? [] : [`listener ${name} does not listen on ${bind.asked}`],
      ),
      ...targets.flatMap(({ id, verdict }) =>
        verdict === 'down' ? [`target ${id} of ${name} is down`] : [],
      ),
      ...(panic ? [`listener ${name}: too few targets are fit, so that all are used`] : []),
    ]),
    ...services.flatMap(({ instances }) =>
      instances.flatMap(({ id, state, detail }) =>
        ['backoff', 'crash-looping'].includes(state)
          ? [`${id} is ${state}${detail ? `: ${detail}` : ''}`]
          : [],
      ),
    ),
    ...checks.flatMap(({ name, verdict, reason, degraded }) =>
      verdict === 'down' || degraded ? [`check ${name} is ${verdict}${reason ? `: ${reason}` : ''}`] : [],
    ),
    ...sinks.flatMap(({ name, failure }) => (failure ? [`sink ${name}: ${failure}`] : [])),
    ...(registry.state === 'ok'
      ? []
      : [`the registry is ${registry.state}${registry.detail ? `: ${registry.detail}` : ''}`]),
  ];
}

type System = Awaited<ReturnType<typeof import('../system/select.ts').selectSystem>>;

/** A lease is stolen while the newest that is known of it says so. */
async function readLeases(io: Io, system: System): Promise<{ count: number; wrong: string[] }> {
  const { openLeaseBook } = await import('../leases/index.ts');
  const book = await openLeaseBook({ system, env: io.env });
  try {
    const [leases, entries] = [await book.list(), await book.audit({ limit: 200 })];
    const last = new Map(entries.map(({ name, port, kind }) => [`${name} ${port}`, kind]));
    const stolen = leases.filter(({ name, port }) => last.get(`${name} ${port}`) === 'stolen');
    const wrong = stolen.map(
      ({ name, port }) => `port ${port}, leased to ${name}, was taken by another process: reeve who ${port}`,
    );
    return { count: leases.length, wrong };
  } finally {
    book.close();
  }
}
