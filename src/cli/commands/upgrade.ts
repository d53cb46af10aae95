// reeve upgrade: another process with the code that is installed now takes over from the daemon, on the same sockets.
import { exit } from '../../core/errors.ts';
import { formatDuration, parseDuration } from '../../core/quantity.ts';
import { plural } from '../../core/text.ts';
import { action, type Define, json } from '../define.ts';
import { type ControlOptions, connect, controlCommand } from './control-command.ts';

interface Options extends ControlOptions {
  deadline: string;
  timeout: string;
}

export const upgradeCommand: Define = (io) =>
  controlCommand(
    'upgrade',
    'start the daemon anew, with the code that is installed now, without closing a listening socket',
    'reeve upgrade\nreeve upgrade --deadline 10m    connections have 10 minutes to end in the old process',
  )
    .option('--deadline <duration>', 'how long open connections may go on in the old process', '30s')
    .option('--timeout <duration>', 'how long the new process may take to become ready', '60s')
    .action(
      action<Options>(io, async (_, options) => {
        const request = {
          deadlineMs: parseDuration(options.deadline),
          timeoutMs: parseDuration(options.timeout),
        };
        const result = await (await connect(io, options)).upgrade(request, io.signal);
        const { before, after, control, ms, connections, deadlineMs } = result;
        if (options.json) io.out(json(result));
        else if (!options.quiet) {
          io.out(
            `${io.colors.green('✓')} PID ${after.pid} has taken over from PID ${before.pid}, ready in ${ms} ms`,
          );
          if (connections > 0) {
            const most = formatDuration(deadlineMs);
            io.out(
              `  ${plural(connections, 'connection')} may end in the old process, for ${most} at the most`,
            );
          }
          io.out(`  control API: http://${control}/`);
        }
        return exit.done;
      }),
    );
