// reeve service run: what a service manager starts. On Windows it tells the manager how it does, and keeps its own logs.
import path from 'node:path';
import { errorMessage, ReeveError } from '../../core/errors.ts';
import type { ServiceControl, ServiceManager, System } from '../../system/index.ts';
import type { Io } from '../io.ts';
import { version } from '../version.ts';
import { commandConfig, writeCommandConfig } from './command-config.ts';
import { checkName } from './places.ts';

export interface RunServiceOptions {
  name: string;
  config?: string;
  state?: string;
  port?: string;
  quiet?: boolean;
}

const rotation = { size: 10 * 1024 * 1024, keep: 5 };

export async function runService(io: Io, options: RunServiceOptions, command: string[]): Promise<number> {
  const name = checkName(options.name);
  const { env } = io;
  if (options.state !== undefined) env.REEVE_STATE = path.resolve(options.state);
  const { selectSystem } = await import('../../system/select.ts');
  const system = await selectSystem();
  io.releaseSignals();
  const { serviceControl: control } = system;
  if (control) {
    // The dispatcher keeps one of libuv's threads for itself, and they are four by default.
    env.UV_THREADPOOL_SIZE ??= '8';
    const code = await control.host(name, (manager) =>
      hosted(io, system, { ...options, manager, control }, command),
    );
    if (code !== null) return code;
  }
  return runDaemonOn(io, system, { ...options, configFile: configOf(io, options, command) });
}

interface Hosted extends RunServiceOptions {
  manager: ServiceManager;
  control: ServiceControl;
}

async function hosted(io: Io, system: System, options: Hosted, command: string[]): Promise<number> {
  const { name, manager, control } = options;
  const tell = (error: unknown) => control.report(name, 'error', `${name} failed: ${errorMessage(error)}`);
  process.on('uncaughtExceptionMonitor', tell);
  // Services start in System32, with the PATH of their account.
  const folder = path.dirname(process.execPath);
  io.env.PATH = [folder, io.env.PATH ?? ''].join(path.delimiter);
  const { LogFile } = await import('../../supervise/index.ts');
  const { silentLog } = await import('../../core/context.ts');
  const logs = path.join(io.env.REEVE_STATE ?? path.dirname(options.config ?? '.'), 'logs');
  const { mkdirSync } = await import('node:fs');
  mkdirSync(logs, { recursive: true });
  const open = (file: string) => new LogFile(path.join(logs, file), rotation, silentLog);
  const [log, output] = [open('reeve.log'), open('reeve.out')];
  const { Writable } = await import('node:stream');
  const stdout = new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (output.write(chunk)) done();
      else void output.room().then(() => done());
    },
  });
  const logTo = { write: (text: string) => void log.write(Buffer.from(text)) };
  const reported: ServiceManager = {
    ...{ watchdog: null, starting() {}, reloading() {}, alive() {}, mainProcess() {} },
    asks: (answer) => manager.asks(answer),
    stopping: (words) => manager.stopping(words),
    ready(words) {
      manager.ready(words);
      control.report(name, 'information', `${name} is ready: ${words}`);
    },
  };
  try {
    const configFile = configOf(io, options, command);
    const code = await runDaemonOn(io, system, { configFile, stdout, logTo, manager: reported, quiet: true });
    control.report(name, 'information', `${name} has stopped (exit code ${code})`);
    return code;
  } catch (error) {
    tell(error);
    log.write(
      Buffer.from(
        `${JSON.stringify({ level: 'error', time: new Date().toISOString(), msg: errorMessage(error) })}\n`,
      ),
    );
    const { isReeveError, exit } = await import('../../core/errors.ts');
    return isReeveError(error) ? error.exitCode : exit.fault;
  } finally {
    process.off('uncaughtExceptionMonitor', tell);
    await Promise.all([log.close(), output.close()]);
  }
}

function configOf({ env }: Io, { name, config, state, port }: RunServiceOptions, command: string[]): string {
  if (command.length === 0) return config ?? 'reeve.yaml';
  if (config !== undefined)
    throw new ReeveError('usage', 'either --config or a command after -- is accepted, not both');
  const folder = path.resolve(state ?? env.REEVE_STATE ?? `${name}-service`);
  const file = path.join(folder, 'reeve.yaml');
  writeCommandConfig(file, commandConfig({ name, command, folder: process.cwd(), port }));
  return file;
}

interface DaemonOn {
  configFile: string;
  stdout?: NodeJS.WritableStream;
  logTo?: { write(text: string): void };
  manager?: ServiceManager;
  quiet?: boolean | undefined;
}

async function runDaemonOn(io: Io, system: System, options: DaemonOn): Promise<number> {
  const [{ runDaemon }, { findKeeper }] = await Promise.all([
    import('../../daemon/index.ts'),
    import('../find-keeper.ts'),
  ]);
  const { quiet = false, stdout = io.host.stdout, ...rest } = options;
  const keeper = await findKeeper(system, io.env);
  return runDaemon({ ...rest, system, env: io.env, keeper, stdout: stdout as never, version, quiet });
}
