// reeve restart, scale, logs: one service of the running daemon, or one instance of it.
import { stripVTControlCharacters } from 'node:util';
import { exit, ReeveError } from '../../core/errors.ts';
import { plural, printable } from '../../core/text.ts';
import { action, type Common, command, type Define, json, wholeNumber } from '../define.ts';
import { type ControlOptions, connect, controlCommand } from './control-command.ts';

/** `user-api` or `user-api/0`. */
function parseInstance(text: string): { service: string; instance?: number } {
  const [, service, instance] = /^([A-Za-z][A-Za-z0-9_-]*)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  if (service === undefined) {
    throw new ReeveError(
      'usage',
      `'${text}' is not a service: write user-api, or user-api/0 for one instance`,
    );
  }
  return { service, ...(instance === undefined ? {} : { instance: Number(instance) }) };
}

export const restartCommand: Define = (io) =>
  controlCommand(
    'restart',
    'start the instances of a service anew, one after the other, each once the one before is up again',
    'reeve restart user-api\nreeve restart user-api/0',
  )
    .argument('<service>', 'name of the service, or service/index for one instance')
    .action(
      action<ControlOptions>(io, async ([operand], options) => {
        const control = await connect(io, options);
        const { openSpinner } = await import('../render/progress.ts');
        const spinner = await openSpinner(io, options, `restarting ${operand}`);
        const result = await control.restart(parseInstance(operand!), io.signal).finally(spinner.close);
        if (options.json) io.out(json(result));
        else if (!options.quiet) {
          for (const name of result.restarted) io.out(`${io.colors.green('✓')} ${name} is up again`);
        }
        return exit.done;
      }),
    );

export const scaleCommand: Define = (io) =>
  controlCommand(
    'scale',
    'run more or fewer instances of a service, until the configuration says another number or the daemon ends',
    'reeve scale user-api=4\nreeve scale user-api=4 worker=0',
  )
    .argument('<service=number...>', 'how many instances each is to have')
    .action(
      action<ControlOptions>(io, async (operands, options) => {
        const orders = operands.map(parseScale);
        const control = await connect(io, options);
        const results = [];
        const { openSpinner } = await import('../render/progress.ts');
        const spinner = await openSpinner(io, options, 'scaling');
        try {
          for (const order of orders) results.push(await control.scale(order, io.signal));
        } finally {
          spinner.close();
        }
        if (options.json) io.out(json({ results }));
        else if (!options.quiet) {
          for (const { service, before, instances, configured } of results) {
            const until =
              instances === configured
                ? 'as the configuration says'
                : `until the configuration says another number than ${configured}, or the daemon ends`;
            io.out(
              `${io.colors.green('✓')} ${service}: ${plural(instances, 'instance')}, was ${before}; ${until}`,
            );
          }
        }
        return exit.done;
      }),
    );

function parseScale(text: string): { service: string; instances: number } {
  const [, service, instances] = /^([A-Za-z][A-Za-z0-9_-]*)=(\d{1,3})$/.exec(text) ?? [];
  if (service !== undefined && Number(instances) <= 256) return { service, instances: Number(instances) };
  throw new ReeveError('usage', `'${text}' is no number of instances: write user-api=4, from 0 to 256`);
}

interface LogsOptions extends Common {
  config?: string;
  follow?: boolean;
  lines: number;
  tail?: number;
}

export const logsCommand: Define = (io) =>
  command(
    'logs',
    'show what the instances of a service have printed; from the files, so that the daemon need not run',
    'reeve logs user-api\nreeve logs user-api/0 -f\nreeve logs user-api -n 1000',
  )
    .argument('<service>', 'name of the service, or service/index for one instance')
    .option('-c, --config <file>', 'configuration of the daemon; ./reeve.yaml by default')
    .option('-f, --follow', 'go on with what they print')
    .option('-n, --lines <number>', 'how many of the last lines of each', wholeNumber(0, 1_000_000), 100)
    .option('--tail <number>', 'the same as --lines', wholeNumber(0, 1_000_000))
    .action(
      action<LogsOptions>(io, async ([operand], options) => {
        const { service, instance } = parseInstance(operand!);
        const { readLogs } = await import('../../daemon/index.ts');
        const query = {
          env: io.env,
          service,
          lines: options.tail ?? options.lines,
          follow: options.follow ?? false,
          ...(instance === undefined ? {} : { instance }),
          ...(options.config === undefined ? {} : { configFile: options.config }),
        };
        for await (const line of readLogs(query, io.signal)) {
          const text = printable(stripVTControlCharacters(line.text));
          if (options.json) io.out(JSON.stringify({ instance: line.instance, text }));
          else io.out(instance === undefined ? `${io.colors.cyan(line.instance)}  ${text}` : text);
        }
        return exit.done;
      }),
    );
