// reeve maintain: for a time, a check, service or target may be down without anybody being told.
import { exit, ReeveError } from '../../core/errors.ts';
import { formatDuration, parseDuration } from '../../core/quantity.ts';
import { action, type Define, json } from '../define.ts';
import { type ControlOptions, connect, controlCommand } from './control-command.ts';

interface Options extends ControlOptions {
  end?: boolean;
  list?: boolean;
}

export const maintainCommand: Define = (io) =>
  controlCommand(
    'maintain',
    'take a check, service or target into maintenance: probing goes on, actions are held',
    'reeve maintain user-api 30m\nreeve maintain check/database 2h\nreeve maintain user-api --end\nreeve maintain --list',
  )
    .argument('[name]', 'a check, service, instance (user-api/0) or target (host:port)')
    .argument('[duration]', 'for how long; 1h by default')
    .option('--end', 'it is over')
    .option('--list', 'show what is in maintenance')
    .action(
      action<Options>(io, async ([name, duration], options) => {
        const control = await connect(io, options);
        const print = (entries: { subject: string; until: string }[]) => {
          if (options.json) io.out(json({ maintenance: entries }));
          else if (options.quiet) return;
          else if (entries.length === 0) io.out('nothing is in maintenance');
          for (const { subject, until } of options.json ? [] : entries) {
            const left = formatDuration(Math.max(0, Date.parse(until) - Date.now()));
            io.out(`${subject}  for another ${left}, until ${until}`);
          }
        };
        if (options.list || name === undefined) {
          if (!options.list) throw new ReeveError('usage', 'name what to maintain, or write --list');
          print((await control.status(io.signal)).maintenance);
          return exit.done;
        }
        const request = {
          name,
          ...(duration !== undefined && { forMs: parseDuration(duration) }),
          ...(options.end && { end: true }),
        };
        print((await control.maintain(request, io.signal)).maintenance);
        return exit.done;
      }),
    );
