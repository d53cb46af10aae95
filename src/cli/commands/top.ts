// reeve top: a live table of ports with their holders, and of the daemon's targets.
import { ReeveError } from '../../core/errors.ts';
import { parseDuration } from '../../core/quantity.ts';
import { action, type Define, setting } from '../define.ts';
import { type ControlOptions, connect, controlCommand } from './control-command.ts';

interface Options extends ControlOptions {
  interval: number;
}

export const topCommand: Define = (io) =>
  controlCommand(
    'top',
    'watch ports with their holders, and targets, in a live table; free and drain from there',
    'reeve top\nreeve top --interval 5s',
  )
    .addOption(setting('--interval <duration>', 'between two looks', parseDuration, '1s'))
    .action(
      action<Options>(io, async (_, options) => {
        if (!io.interactive || options.json) {
          throw new ReeveError('usage', 'top needs a terminal, to draw on and for its keys', {
            hint: 'For a program: reeve who --json, reeve who --watch --json, reeve status --json',
          });
        }
        if (options.interval < 100) throw new ReeveError('usage', '--interval must be at least 100ms');
        const [{ selectSystem }, { runTop }] = await Promise.all([
          import('../../system/select.ts'),
          import('../top/run.ts'),
        ]);
        const control = () => connect(io, options);
        return runTop(io, { system: await selectSystem(), intervalMs: options.interval, control });
      }),
    );
