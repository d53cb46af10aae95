// reeve run: a command on a port of its own, which is proved to be the one that listens there.
import { closeSync, openSync, readFileSync } from 'node:fs';
import { errorMessage, exit, ReeveError } from '../../core/errors.ts';
import { parseDuration } from '../../core/quantity.ts';
import { type PortRange, parseRange } from '../../core/range.ts';
import type { Listener, RunEnd, RunReport } from '../../supervise/index.ts';
import { type Common, command, type Define, option, setting } from '../define.ts';
import type { Io } from '../io.ts';

export interface RunOptions extends Common {
  range?: PortRange;
  strict?: boolean;
  socket?: boolean;
  waitFor?: string[];
  host?: string;
  open?: boolean;
  fix?: boolean;
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
    .option('--range <ports>', 'where to take the port from (default: 20000-32000)', option(parseRange))
    .option('--strict', 'fail if the name cannot have the port that it had')
    .option('--socket', 'bind the port here, and pass the listening socket as descriptor 3 (LISTEN_FDS)')
    .option('--host <address>', 'with --socket: where to listen (default: "::")')
    .option('--wait-for <url>', 'start only when this is up; may be repeated', collect)
    .option('--open', 'open http://localhost:PORT in a browser when it is ready')
    .option('--fix', 'if it listens on another port, pass connections on to there')
    .option('--restart', 'start it again when it fails, with growing delays')
    .addOption(
      setting(
        '--timeout <duration>',
        'until it is told that nothing listens; for --wait-for: that it ends',
        parseDuration,
        '60s',
      ),
    )
    .addOption(setting('--stop-timeout <duration>', 'from SIGTERM to SIGKILL', parseDuration, '10s'))
    .option('--no-park', 'do not hold the port until the command binds it')
    .action(async (_words, options: RunOptions, self) => {
      const { rawArgs } = program as unknown as { rawArgs: string[] };
      const { name, argv } = split(rawArgs, self.args);
      let early: NodeJS.Signals | null = null;
      for (const each of ['SIGINT', 'SIGTERM'] as const) {
        io.host.on(each, () => {
          early ??= each;
        });
      }
      const end = await run(io, name, argv, { ...program.opts(), ...options }).catch((error): RunEnd => {
        if (!early || !io.signal.aborted) throw error;
        return { code: 130, signal: early };
      });
      io.exitCode = end.code;
      if (!end.signal || !passedOn.has(end.signal)) return;
      io.host.removeAllListeners(end.signal);
      process.kill(process.pid, end.signal);
    });

/** What ended the command ends reeve too, so that a shell's loop stops at Ctrl-C. */
const passedOn = new Set<NodeJS.Signals>(['SIGINT', 'SIGTERM', 'SIGHUP']);
const forwarded = [
  ...['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'],
  ...['SIGUSR1', 'SIGUSR2', 'SIGWINCH', 'SIGCONT'],
] as NodeJS.Signals[];

function collect(url: string, before: string[] = []): string[] {
  return [...before, url];
}

/** Commander has dropped the `--` by then; only the raw arguments tell where the command begins. */
function split(raw: string[], operands: string[]): { name: string | null; argv: string[] } {
  const at = raw.indexOf('--');
  const argv = at < 0 ? [] : raw.slice(at + 1);
  const names = operands.slice(0, operands.length - argv.length);
  const given = argv.length === 0 && names.length > 1 ? names.join(' ') : null;
  const hint = given ? `reeve run -- ${given}` : 'For example: reeve run web -- node server.js';
  if (argv.length === 0) throw new ReeveError('usage', 'no command was given: write it after --', { hint });
  if (names.length > 1) {
    throw new ReeveError('usage', `one name is accepted before --, not '${names.join(' ')}'`, { hint });
  }
  return { name: names[0] ?? null, argv };
}

/** A program that starts slower than this is worth a word. Milliseconds. */
const waitsInSilence = 1000;

async function run(io: Io, asked: string | null, argv: string[], options: RunOptions): Promise<RunEnd> {
  const [{ randomUUID }, { selectSystem }, { openLeaseBook, projectName }, supervise, core] =
    await Promise.all([
      import('node:crypto'),
      import('../../system/select.ts'),
      import('../../leases/index.ts'),
      import('../../supervise/index.ts'),
      import('../../core/context.ts'),
    ]);
  const [{ renderRun }, { findKeeper }] = await Promise.all([
    import('../render/run.ts'),
    import('../find-keeper.ts'),
  ]);
  if (options.host !== undefined && !options.socket) {
    throw new ReeveError('usage', '--host is for --socket: without it the command itself binds the port', {
      hint: `reeve run --socket --host ${options.host} -- ${argv.join(' ')}`,
    });
  }
  const say = (report: RunReport) => renderRun(report, options, io);
  if (options.waitFor && !(await areUp(options.waitFor, options.timeout, say, io))) {
    return { code: exit.timeout, signal: null };
  }
  const system = await selectSystem();
  const folder = process.cwd();
  const name = asked ?? (await projectName(folder));
  const book = await openLeaseBook({ system, env: io.env });
  const log = {
    ...core.silentLog,
    warn: (fields: object, message = '') => io.err(`reeve: ${message} ${JSON.stringify(fields)}`),
  };
  const { socket: passes, park, range, strict } = options;
  const listen = passes ? (options.host ?? '::') : null;
  const wanted = { name, park, listen, ...(range && { range }), ...(strict && { strict }) };
  const held = await supervise.takeRunPort({ book, system, log, ...wanted }, io.signal);
  const { port, moved } = held;
  if (moved) say({ kind: 'moved', name, port, ...moved });
  const relay = createRelay(port, io.signal);
  const one = new supervise.Run(
    {
      name,
      port,
      command: argv,
      folder,
      env: io.env,
      socket: held.socket?.fd ?? null,
      parked: held.parked && !passes,
      restart: options.restart ?? false,
      readyWithin: options.timeout,
      stopTimeout: options.stopTimeout,
      terminal: () => isBeforeTerminal(system.platform),
    },
    {
      system,
      context: { clock: core.systemClock, random: Math.random },
      keeper: (await findKeeper(system, io.env)) ?? null,
      mark: randomUUID(),
      report: tell,
      fix: options.fix ? relay.to : undefined,
    },
  );
  let opened = !options.open;
  function tell(report: RunReport): void {
    say(report);
    held.heard(report);
    if (opened || (report.kind !== 'ready' && report.kind !== 'relayed')) return;
    opened = true;
    const env = { ...io.env, ...one.asideEnv() };
    void import('../open-browser.ts').then(({ openBrowser }) =>
      openBrowser(`http://localhost:${port}`, system.platform, env),
    );
  }
  held.lost.addEventListener('abort', () =>
    tell({ kind: 'lost', port, reason: errorMessage(held.lost.reason) }),
  );
  // They stay when the command has ended: the Ctrl-C that ended it may reach this process after that news, and must
  // not end it by another code (the kernel may have handed it to a thread that has not run yet).
  for (const signal of forwarded) io.host.on(signal, () => one.signal(signal));
  io.releaseSignals();
  if (io.signal.aborted) one.stop();
  try {
    return await one.start();
  } finally {
    await relay.end();
    await held.release();
    book.close();
  }
}

/** One relay at a time: a command that was started again may listen elsewhere than before. */
function createRelay(port: number, signal: AbortSignal) {
  let end = async () => {};
  return {
    async to(listener: Listener): Promise<void> {
      await end();
      const { relayPort } = await import('../relay-port.ts');
      end = await relayPort(port, listener, signal);
    },
    end: () => end(),
  };
}

async function areUp(
  urls: string[],
  timeout: number,
  say: (report: RunReport) => void,
  io: Io,
): Promise<boolean> {
  const [{ waitFor }, { askOnce }] = await Promise.all([
    import('../../ports/index.ts'),
    import('../probing.ts'),
  ]);
  const timing = { timeoutMs: timeout, intervalMs: 250, successes: 1 };
  const ask = await askOnce(urls, { timeout: 3000 });
  const patience = setTimeout(() => say({ kind: 'waiting', urls }), waitsInSilence);
  const results = await waitFor(urls, ask, timing, io.signal).finally(() => clearTimeout(patience));
  const missing = results.filter(({ verdict, reason }) => verdict !== 'up' || reason === 'timeout');
  if (missing.length > 0) say({ kind: 'not-up', ms: timeout, results: missing });
  return missing.length === 0;
}

/**
 * Then Ctrl-C reaches the command without reeve's help; not so for a job in the background. On Windows it reaches all of
 * a console.
 */
function isBeforeTerminal(platform: string): boolean {
  if (platform === 'win32') return true;
  try {
    if (platform !== 'linux') {
      closeSync(openSync('/dev/tty', 'r'));
      return true;
    }
    // proc_pid_stat(5), after the name: state, parent, group, session, terminal, and the group in front of it.
    const stat = readFileSync('/proc/self/stat', 'latin1');
    const [, , group, , , inFront] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return group === inFront;
  } catch {
    return false;
  }
}
