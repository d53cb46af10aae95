// reeve status, reload, drain, down, events: what is asked of the running daemon.
import type { Command } from 'commander';
import { exit, isReeveError, ReeveError } from '../../core/errors.ts';
import { sleep } from '../../core/time.ts';
import type { Control } from '../../daemon/index.ts';
import { action, type Common, command, type Define, json } from '../define.ts';
import type { Io } from '../io.ts';

interface Options extends Common {
  config?: string;
  control?: string;
  tokenFile?: string;
}

function controlCommand(usage: string, description: string, examples: string): Command {
  return command(usage, description, examples)
    .option(
      '-c, --config <file>',
      'configuration of the daemon, to find its address; ./reeve.yaml by default',
    )
    .option('--control <host:port>', 'address of the control API')
    .option('--token-file <file>', 'file with its token');
}

async function connect(io: Io, options: Options): Promise<Control> {
  const { connectControl } = await import('../../daemon/index.ts');
  return connectControl({
    env: io.env,
    ...(options.config ? { configFile: options.config } : {}),
    ...(options.control ? { control: options.control } : {}),
    ...(options.tokenFile ? { tokenFile: options.tokenFile } : {}),
  });
}

export const statusCommand: Define = (io) =>
  controlCommand(
    'status',
    'show listeners, targets, services and checks of the running daemon',
    'reeve status\nreeve status --json',
  ).action(
    action<Options>(io, async (_, options) => {
      const status = await (await connect(io, options)).status(io.signal);
      const { renderStatus } = await import('../render/status.ts');
      if (options.json) io.out(json(status));
      else await renderStatus(status, io);
      return status.state === 'ready' ? exit.done : exit.no;
    }),
  );

export const reloadCommand: Define = (io) =>
  controlCommand(
    'reload',
    'let the daemon read its configuration again; a wrong file changes nothing',
    'reeve reload\nreeve reload -c prod.yaml',
  ).action(
    action<Options>(io, async (_, options) => {
      const result = await (await connect(io, options)).reload(io.signal);
      if (options.json) io.out(json(result));
      else if (!options.quiet) {
        const { renderReload } = await import('../render/status.ts');
        renderReload(result, io);
      }
      return exit.done;
    }),
  );

export const drainCommand: Define = (io) =>
  controlCommand(
    'drain',
    'send no new connections to a target; those that are open go on',
    'reeve drain 127.0.0.1:20000\nreeve drain web/10.0.0.5:80\nreeve drain web/10.0.0.5:80 --resume',
  )
    .argument('<target>', 'host:port, or listener/host:port')
    .option('--resume', 'send connections to it again')
    .action(
      action<Options & { resume?: boolean }>(io, async ([operand], options) => {
        const [listener, target] = operand!.includes('/') ? operand!.split('/') : [undefined, operand];
        const order = {
          target: target!,
          ...(listener ? { listener } : {}),
          ...(options.resume ? { resume: true } : {}),
        };
        const { targets } = await (await connect(io, options)).drain(order, io.signal);
        if (options.json) io.out(json({ targets }));
        else if (!options.quiet)
          io.out(`${options.resume ? 'in balance again' : 'draining'}: ${targets.join(', ')}`);
        return exit.done;
      }),
    );

export const downCommand: Define = (io) =>
  controlCommand(
    'down',
    'stop the daemon: it drains its connections and stops its services',
    'reeve down',
  ).action(
    action<Options>(io, async (_, options) => {
      const control = await connect(io, options);
      await control.stop(io.signal);
      await waitUntilGone(control, io.signal);
      if (!options.json && !options.quiet) io.out('the daemon has stopped');
      return exit.done;
    }),
  );

/** The daemon's own drain deadline is 30 s; services have theirs on top. */
async function waitUntilGone(control: Control, signal: AbortSignal): Promise<void> {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(120_000)]);
  for (;;) {
    try {
      await control.status(deadline);
      await sleep(100, deadline);
    } catch (error) {
      if (isReeveError(error) && error.code === 'not-found') return;
      throw deadline.aborted
        ? new ReeveError('timeout', 'the daemon is still draining after 2 minutes')
        : error;
    }
  }
}

export const eventsCommand: Define = (io) =>
  controlCommand('events', 'follow what happens in the daemon', 'reeve events\nreeve events --since 0 --json')
    .option('--since <id>', 'also kept events after this id; 0 for all that are kept', Number)
    .action(
      action<Options & { since?: number }>(io, async (_, options) => {
        const control = await connect(io, options);
        const { renderEvent } = await import('../render/status.ts');
        // Asked first, so that "not running" is told apart from "has stopped meanwhile".
        await control.status(io.signal);
        try {
          for await (const event of control.events(options.since, io.signal)) {
            io.out(options.json ? JSON.stringify(event) : renderEvent(event, io));
          }
        } catch (error) {
          if (!isReeveError(error) || error.code !== 'not-found') throw error;
          if (!options.quiet) io.err('the daemon has stopped');
        }
        return exit.done;
      }),
    );
