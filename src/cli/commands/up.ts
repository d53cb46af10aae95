// reeve up: runs the daemon in the foreground.
import { Option } from 'commander';
import { exit } from '../../core/errors.ts';
import { action, type Common, command, type Define, json } from '../define.ts';
import { findKeeper } from '../find-keeper.ts';
import type { Io } from '../io.ts';
import { version } from '../version.ts';

interface Options extends Common {
  config: string;
  check?: boolean;
  watch?: boolean;
  logLevel?: string;
}

export const upCommand: Define = (io) =>
  command(
    'up',
    'run the services, listeners, sinks and checks of a configuration, until it is told to stop',
    `
reeve up                     with ./reeve.yaml
reeve up -c prod.yaml
reeve up -c prod.yaml --check   only validate it
reeve up --watch             take up the file whenever it is changed`,
  )
    .option('-c, --config <file>', 'the configuration (docs/configuration.md)', 'reeve.yaml')
    .option('--check', 'validate the configuration, start nothing')
    .option('--watch', 'reload when the file changes; one that is wrong changes nothing')
    .addOption(
      new Option('--log-level <level>', 'the least that is logged').choices([
        'debug',
        'info',
        'warn',
        'error',
      ]),
    )
    .action(action<Options>(io, (_, options) => run(io, options)));

async function run(io: Io, options: Options): Promise<number> {
  if (options.check) {
    const { loadConfig } = await import('../../config/index.ts');
    const { file } = await loadConfig(options.config, io.env);
    if (options.json) io.out(json({ file, valid: true }));
    else if (!options.quiet) io.out(`${io.colors.green('✓')} ${file} is valid`);
    return exit.done;
  }
  const [{ selectSystem }, { runDaemon }] = await Promise.all([
    import('../../system/select.ts'),
    import('../../daemon/index.ts'),
  ]);
  const system = await selectSystem();
  // The daemon drains on the first signal and ends on the second.
  io.releaseSignals();
  return runDaemon({
    configFile: options.config,
    system,
    env: io.env,
    keeper: await findKeeper(system, io.env),
    stdout: io.host.stdout,
    version,
    ...(options.logLevel ? { logLevel: options.logLevel } : {}),
    watch: options.watch ?? false,
    again: [process.execPath, ...process.execArgv, ...process.argv.slice(1)],
    quiet: options.quiet ?? false,
  });
}
