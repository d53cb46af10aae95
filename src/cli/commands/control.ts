// reeve status, reload, down, events: what is asked of the running daemon.

import { exit, isReeveError, ReeveError } from '../../core/errors.ts';
import { sleep } from '../../core/time.ts';
import type { Control, DaemonStatus } from '../../daemon/index.ts';
import { action, type Define, json, wholeNumber } from '../define.ts';
import type { Io } from '../io.ts';
import { type ControlOptions, connect, controlCommand } from './control-command.ts';

export const statusCommand: Define = (io) =>
  controlCommand(
    'status',
    'show listeners, targets, services and checks of the running daemon; or one service, and why it was started again',
    'reeve status\nreeve status user-api\nreeve status --json',
  )
    .argument('[service]', 'this one alone, with the reasons of its last restarts')
    .action(
      action<ControlOptions>(io, async ([name], options) => {
        const status = await (await connect(io, options)).status(io.signal);
        if (name !== undefined) return showService(name, status, io, options);
        const { renderStatus } = await import('../render/status.ts');
        if (options.json) io.out(json(status));
        else await renderStatus(status, io);
        return status.state === 'ready' ? exit.done : exit.no;
      }),
    );

async function showService(
  name: string,
  { services }: DaemonStatus,
  io: Io,
  { json: asJson }: ControlOptions,
): Promise<number> {
  const service = services.find((one) => one.name === name);
  if (!service) {
    const known = services.map((one) => one.name).join(', ') || 'none';
    throw new ReeveError('not-found', `there is no service '${name}': there are ${known}`);
  }
  const [{ renderService }, { verdictStyle }] = await Promise.all([
    import('../render/instances.ts'),
    import('../render/status.ts'),
  ]);
  if (asJson) io.out(json(service));
  else await renderService(service, verdictStyle(io), io);
  return service.instances.every(({ state }) => ['up', 'finished'].includes(state)) ? exit.done : exit.no;
}

export const reloadCommand: Define = (io) =>
  controlCommand(
    'reload',
    'let the daemon read its configuration again; a wrong file changes nothing',
    'reeve reload\nreeve reload -c prod.yaml',
  ).action(
    action<ControlOptions>(io, async (_, options) => {
      const result = await (await connect(io, options)).reload(io.signal);
      if (options.json) io.out(json(result));
      else if (!options.quiet) {
        const { renderReload } = await import('../render/status.ts');
        renderReload(result, io);
      }
      return exit.done;
    }),
  );

export const downCommand: Define = (io) =>
  controlCommand(
    'down',
    'stop the daemon: it drains its connections and stops its services',
    'reeve down',
  ).action(
    action<ControlOptions>(io, async (_, options) => {
      const control = await connect(io, options);
      await control.stop(io.signal);
      const { openSpinner } = await import('../render/progress.ts');
      const spinner = await openSpinner(io, options, 'the daemon drains');
      await waitUntilGone(control, io.signal).finally(spinner.close);
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
    .option(
      '--since <id>',
      'also kept events after this id; 0 for all that are kept',
      wholeNumber(0, Number.MAX_SAFE_INTEGER),
    )
    .action(
      action<ControlOptions & { since?: number }>(io, async (_, options) => {
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
