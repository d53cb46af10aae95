// reeve service install, uninstall, start, stop, restart, reload and status: what each does on whatever system this is.
import path from 'node:path';
import { errorCode, exit, isReeveError, ReeveError } from '../../core/errors.ts';
import type { Common } from '../define.ts';
import { json } from '../define.ts';
import type { Io } from '../io.ts';
import { commandConfig, writeCommandConfig } from './command-config.ts';
import { installerOf } from './installer.ts';
import { checkName, type DefinitionOptions, definitionOf, platformOf } from './places.ts';
import { carryOut, type Step } from './steps.ts';
import type { Installer } from './work.ts';

export interface VerbOptions extends Common {
  name: string;
  user?: boolean;
  root?: string;
}

export interface InstallOptions extends VerbOptions, DefinitionOptions {
  port?: string;
  dryRun?: boolean;
  now?: boolean;
}

export async function install(io: Io, options: InstallOptions, command: string[]): Promise<number> {
  const { installer, platform, root } = await open(io, options);
  const definition = definitionOf(options, platform, platform, io.env);
  const below = root === null || options.config !== undefined ? '' : root;
  const file = path.join(below, definition.configFile);
  const steps: Step[] = [];
  if (command.length > 0) {
    const text = commandConfig({ ...options, command, folder: process.cwd() });
    steps.push({ words: `write ${file}`, carryOut: () => writeCommandConfig(file, text) });
  } else {
    // What a service cannot start with is told now, and here, and not in a log.
    const { loadConfig } = await import('../../config/index.ts');
    await loadConfig(file, io.env);
  }
  steps.push(...installer.install(definition));
  if (options.now) {
    const { name } = definition;
    steps.push({ words: `start ${name}`, carryOut: async () => void (await installer.start(name)) });
  }
  await withPrivilege(() => carryOut(steps, io, options));
  if (!options.now && !options.dryRun && !options.quiet && !options.json)
    io.out(
      `installed; to start it: reeve service start${options.name === 'portreeve' ? '' : ` --name ${options.name}`}`,
    );
  return exit.done;
}

export async function uninstall(io: Io, options: InstallOptions): Promise<number> {
  const { installer } = await open(io, options);
  await withPrivilege(() => carryOut(installer.uninstall(options.name), io, options));
  if (!options.quiet && !options.json && !options.dryRun)
    io.out('the configuration, the state directory and the account stay');
  return exit.done;
}

export async function act(
  io: Io,
  options: VerbOptions,
  verb: 'start' | 'stop' | 'restart' | 'reload',
): Promise<number> {
  const { installer } = await open(io, options);
  const { name } = options;
  await withPrivilege(async () => {
    if (!(await installer.status(name)).installed) throw missing(name);
    if (verb === 'restart') await installer.stop(name);
    await installer[verb === 'restart' ? 'start' : verb](name);
  });
  if (options.json) io.out(json(await installer.status(name)));
  else if (!options.quiet) io.out(`${io.colors.green('✓')} ${verb} ${name}`);
  return exit.done;
}

export async function status(io: Io, options: VerbOptions): Promise<number> {
  const { installer } = await open(io, options);
  const report = await installer.status(options.name);
  if (options.json) io.out(json(report));
  else if (!report.installed) io.out(`${report.name} is not installed`);
  else
    io.out(
      `${report.name} is ${report.state ?? 'installed'}${report.pid === null ? '' : `, PID ${report.pid}`}`,
    );
  return report.running ? exit.done : exit.no;
}

async function open(
  io: Io,
  options: VerbOptions,
): Promise<{ installer: Installer; platform: ReturnType<typeof platformOf>; root: string | null }> {
  checkName(options.name);
  const { selectSystem } = await import('../../system/select.ts');
  const system = await selectSystem();
  const root = options.root === undefined ? null : path.resolve(options.root);
  const installer = await installerOf(system, io, { user: options.user ?? false, root });
  return { installer, platform: platformOf(system.platform), root };
}

function missing(name: string): ReeveError {
  return new ReeveError('not-found', `there is no service ${name}`, {
    hint: 'Make it: reeve service install',
  });
}

/** Says what to copy where this user may not. */
async function withPrivilege(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const denied =
      ['EACCES', 'EPERM', 'EROFS'].includes(errorCode(error) ?? '') ||
      (isReeveError(error) &&
        /access denied|authentication required|must be root|Permission denied/i.test(error.message));
    if (!denied && !(isReeveError(error) && error.code === 'privilege')) throw error;
    const words = process.argv
      .map((word) => (/^[\w@%+=:,./\\-]+$/.test(word) ? word : `'${word}'`))
      .join(' ');
    const hint = process.getuid
      ? `sudo ${words}`
      : `In a terminal opened as administrator: ${process.argv.map((word) => `"${word}"`).join(' ')}`;
    throw new ReeveError('privilege', error instanceof Error ? error.message : String(error), {
      hint,
      cause: error,
    });
  }
}
