// reeve run: a command on a port of its own, which is proved to be the one that listens there.
import { closeSync, openSync } from 'node:fs';
import { exit, ReeveError } from '../../core/errors.ts';
import { parseDuration } from '../../core/quantity.ts';
import type { RunEnd } from '../../supervise/index.ts';
import { type Common, command, type Define, option } from '../define.ts';
import type { Io } from '../io.ts';

export interface RunOptions extends Common {
  socket?: boolean;
  waitFor: string[];
  open?: boolean;
  restart?: boolean;
  timeout: number;
  stopTimeout: number;
  park: boolean;
}

export const runCommand: Define = (io, program) =>
  command(
    'run',
    'run a command on a port of its own, and end everything that it started',
    `
reeve run -- node server.js               PORT is set; its port stays the same from run to run
reeve run web -- vite --port {port}       the name of the port, and the port as an argument
reeve run --wait-for tcp://localhost:5432 --open -- npm run dev`,
  )
    .usage('[options] [name] -- <command...>')
    .argument('[words...]', 'name of the port (default: of the project), then -- and the command')
    .option('--socket', 'bind the port here, and pass the listening socket as descriptor 3 (LISTEN_FDS)')
    .option('--wait-for <url>', 'start only when this is up; may be repeated', collect, [])
    .option('--open', 'open http://localhost:PORT in a browser when it is ready')
    .option('--restart', 'start it again when it fails, with growing delays')
    .option(
      '--timeout <duration>',
      'after which to tell that it does not listen',
      option(parseDuration),
      60_000,
    )
    .option('--stop-timeout <duration>', 'from SIGTERM to SIGKILL', option(parseDuration), 10_000)
    .option('--no-park', 'do not hold the port until the command binds it')
    .action(async (_words, options: RunOptions, self) => {
      const { rawArgs } = program as unknown as { rawArgs: string[] };
      const { name, argv } = split(rawArgs, self.args);
      const end = await run(io, name, argv, { ...program.opts(), ...options });
      io.exitCode = end.code;
      if (end.signal && passedOn.has(end.signal)) process.kill(process.pid, end.signal);
    });

/** What ended the command ends reeve too, so that a shell's loop stops at Ctrl-C. */
const passedOn = new Set<NodeJS.Signals>(['SIGINT', 'SIGTERM', 'SIGHUP']);
const forwarded = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const;

function collect(url: string, before: string[]): string[] {
  return [...before, url];
}

/** Commander has dropped the `--` by then; only the raw arguments tell where the command begins. */
function split(raw: string[], operands: string[]): { name: string | null; argv: string[] } {
  const at = raw.indexOf('--');
  const argv = at < 0 ? [] : raw.slice(at + 1);
  const names = operands.slice(0, operands.length - argv.length);
  const hint = 'For example: reeve run web -- node server.js';
  if (argv.length === 0) throw new ReeveError('usage', 'no command was given: write it after --', { hint });
  if (names.length > 1) {
    throw new ReeveError('usage', `one name is accepted before --, not '${names.join(' ')}'`, { hint });
  }
  return { name: names[0] ?? null, argv };
}

async function run(io: Io, name: string | null, argv: string[], options: RunOptions): Promise<RunEnd> {
  const [{ randomUUID }, { selectSystem }, supervise, { renderRun }, { keeperFile }, { systemClock }] =
    await Promise.all([
      import('node:crypto'),
      import('../../system/select.ts'),
      import('../../supervise/index.ts'),
      import('../render/run.ts'),
      import('../keeper-file.ts'),
      import('../../core/context.ts'),
    ]);
  const system = await selectSystem();
  if (options.waitFor.length > 0 && !(await areUp(options, io))) return { code: exit.timeout, signal: null };
  const { choosePort } = await import('../../ports/index.ts');
  const port = await choosePort(system, { range: { first: 20_000, last: 32_000 }, taken: new Set() });
  const file = system.containment.abilities.findsMarked ? keeperFile() : null;
  const one = new supervise.Run(
    {
      name: name ?? 'web',
      port,
      command: argv,
      folder: process.cwd(),
      env: io.env,
      socket: null,
      parked: false,
      restart: options.restart ?? false,
      readyWithin: options.timeout,
      stopTimeout: options.stopTimeout,
      terminal: hasTerminal(),
    },
    {
      system,
      context: { clock: systemClock, random: Math.random },
      keeper: file === null ? null : supervise.createKeeper(file, io.env),
      mark: randomUUID(),
      report: (report) => renderRun(report, options, io),
    },
  );
  io.releaseSignals();
  const listeners = forwarded.map((signal) => [signal, () => one.signal(signal)] as const);
  for (const [signal, listener] of listeners) io.host.on(signal, listener);
  try {
    return await one.start();
  } finally {
    for (const [signal, listener] of listeners) io.host.off(signal, listener);
  }
}

async function areUp({ waitFor: urls, timeout }: RunOptions, io: Io): Promise<boolean> {
  const [{ waitFor }, { askOnce }, { renderChecks }] = await Promise.all([
    import('../../ports/index.ts'),
    import('../probing.ts'),
    import('../render/checks.ts'),
  ]);
  const timing = { timeoutMs: timeout, intervalMs: 250, successes: 1 };
  const results = await waitFor(urls, await askOnce(urls, { timeout: 3000 }), timing, io.signal);
  const missing = results.filter(({ verdict, reason }) => verdict !== 'up' || reason === 'timeout');
  renderChecks(missing, { ...io, out: io.err });
  return missing.length === 0;
}

/** With one, Ctrl-C reaches the command without reeve's help. */
function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return true;
  } catch {
    return false;
  }
}
