// reeve service: the daemon as a service of the operating system. Each verb's own work is in cli/service/.
import type { Command } from 'commander';
import { exit } from '../../core/errors.ts';
import { action, type Common, command, type Define } from '../define.ts';
import type { Io } from '../io.ts';
import type { DefinitionOptions } from '../service/places.ts';

interface RenderOptions extends DefinitionOptions, Common {
  platform?: string;
}

export const serviceCommand: Define = (io) => {
  const service = command(
    'service',
    'make the daemon a service of systemd, launchd or Windows',
    `
reeve service render --platform linux     what would be written
reeve service render --profile inspect    without services, and shut in far more`,
  );
  service.addCommand(renderCommand(io));
  return service;
};

function renderCommand(io: Io): Command {
  return definitionOptions(
    command(
      'render',
      'print the unit, property list or definition, and write nothing',
      'reeve service render --platform windows -c C:\\apps\\reeve.yaml',
    ),
  )
    .option('--platform <system>', 'linux, macos or windows; default: this one')
    .action(action<RenderOptions>(io, (_, options) => render(io, options)));
}

/** What says which service is meant, and how it is to be. */
function definitionOptions(verb: Command): Command {
  return verb
    .option('--name <name>', 'of the service', 'portreeve')
    .option('-c, --config <file>', 'its configuration; default: reeve.yaml in /etc/NAME or ProgramData\\NAME')
    .option('--profile <profile>', 'supervise, or inspect where it runs no services (systemd)', 'supervise')
    .option('--user', 'a service of this user alone (systemd)')
    .option('--start <when>', 'automatic, delayed (Windows) or manual', 'automatic');
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
  io.out(
    options.json
      ? JSON.stringify(
          platform === 'windows'
            ? service.scmDefinition(definition)
            : { text: renderers[platform](definition) },
          null,
          2,
        )
      : renderers[platform](definition).trimEnd(),
  );
  return exit.done;
}
