// reeve service: the daemon, or any command, as a service of the operating system. The work is in cli/service/.
import type { Command } from 'commander';
import { exit, ReeveError } from '../../core/errors.ts';
import { action, type Common, command, type Define, json } from '../define.ts';
import type { Io } from '../io.ts';
import type { DefinitionOptions } from '../service/places.ts';
import type { RunServiceOptions } from '../service/run.ts';
import type { InstallOptions, VerbOptions } from '../service/verbs.ts';

interface RenderOptions extends DefinitionOptions, Common {
  platform?: string;
}

export const serviceCommand: Define = (io, program) => {
  const service = command(
    'service',
    'make the daemon, or a command, a service of systemd, launchd or Windows',
    `
reeve service install -c reeve.yaml --now   the daemon starts with the machine, and now
reeve service install --name web --now -- node server.js   a command in its place
reeve service status
reeve service render --platform linux       what would be written`,
  );
  const verbs = () => import('../service/verbs.ts');
  const dry = (verb: Command) => verb.option('--dry-run', 'say the steps, take none');
  const install = dry(
    definitionOptions(verb('install', 'make it a service', 'reeve service install -c reeve.yaml --now')),
  )
    .argument('[command...]', 'after --: a command in place of a configuration')
    .option('--port <port>', 'that the command listens on: auto (it finds it in PORT), or a number')
    .option('--now', 'start it, too')
    .action(
      action<InstallOptions>(io, async (words, options) =>
        (await verbs()).install(io, options, after(program, words)),
      ),
    );
  const uninstall = dry(
    verb('uninstall', 'stop it and remove it; configuration and state stay', 'reeve service uninstall'),
  ).action(action<InstallOptions>(io, async (_, options) => (await verbs()).uninstall(io, options)));
  const actions = (['start', 'stop', 'restart', 'reload'] as const).map((name) =>
    verb(name, `${name} it, and wait until that is done`, `reeve service ${name}`).action(
      action<VerbOptions>(io, async (_, options) => (await verbs()).act(io, options, name)),
    ),
  );
  const status = verb('status', 'whether it is installed and runs', 'reeve service status --json').action(
    action<VerbOptions>(io, async (_, options) => (await verbs()).status(io, options)),
  );
  const run = command(
    'run',
    'what a service manager starts: the daemon, or a command',
    'reeve service run --name web -- node server.js',
  )
    .option('--name <name>', 'of the service', 'portreeve')
    .argument('[command...]', 'after --: a command in place of a configuration')
    .option('-c, --config <file>', 'its configuration')
    .option('--port <port>', 'that the command listens on: auto (it finds it in PORT), or a number')
    .option('--state <folder>', 'the state directory, unless the configuration names one')
    .action(
      action<RunServiceOptions>(io, async (words, options) =>
        (await import('../service/run.ts')).runService(io, options, after(program, words)),
      ),
    );
  for (const each of [install, uninstall, ...actions, status, renderCommand(io), run]) {
    service.addCommand(each.copyInheritedSettings(program));
  }
  return service;
};

function verb(usage: string, description: string, examples: string): Command {
  return command(usage, description, examples)
    .option('--name <name>', 'of the service', 'portreeve')
    .option('--user', 'a service of this user alone (systemd, launchd)')
    .option('--root <folder>', 'write below this folder, and start nothing (systemd)');
}

function renderCommand(io: Io): Command {
  return definitionOptions(
    verb(
      'render',
      'print the unit, property list or definition, and write nothing',
      'reeve service render --platform windows -c C:\\apps\\reeve.yaml',
    ),
  )
    .option('--platform <system>', 'linux, macos or windows; default: this one')
    .action(action<RenderOptions>(io, (_, options) => render(io, options)));
}

/** How it is to be. */
function definitionOptions(verb: Command): Command {
  return verb
    .option('-c, --config <file>', 'its configuration; default: reeve.yaml in /etc/NAME or ProgramData\\NAME')
    .option('--profile <profile>', 'supervise, or inspect where it runs no services (systemd)', 'supervise')
    .option('--start <when>', 'automatic, delayed (Windows) or manual', 'automatic');
}

/** What stands after `--`: commander has dropped it by then. */
function after(program: Command, operands: string[]): string[] {
  const { rawArgs } = program as unknown as { rawArgs: string[] };
  const at = rawArgs.indexOf('--');
  const command = at < 0 ? [] : rawArgs.slice(at + 1);
  if (operands.length === command.length) return command;
  throw new ReeveError('usage', `'${operands[0]}' is not understood: write a command after --`, {
    hint: 'For example: reeve service install --name web -- node server.js',
  });
}

async function render(io: Io, options: RenderOptions): Promise<number> {
  const [places, { selectSystem }, service] = await Promise.all([
    import('../service/places.ts'),
    import('../../system/select.ts'),
    import('../../service/index.ts'),
  ]);
  const here = places.platformOf((await selectSystem()).platform);
  const platform =
    options.platform === undefined ? here : places.oneOf('--platform', options.platform, places.platforms);
  const definition = places.definitionOf(options, platform, here);
  const renderers = { linux: service.renderUnit, macos: service.renderPlist, windows: service.renderScm };
  const text = renderers[platform](definition);
  const shown = platform === 'windows' ? service.scmDefinition(definition) : { text };
  io.out(options.json ? json(shown) : text.trimEnd());
  return exit.done;
}
