// reeve drain, weight: what a person says of one target of the running daemon.
import { parseEndpoint } from '../../core/endpoint.ts';
import { exit, ReeveError } from '../../core/errors.ts';
import { parseDuration } from '../../core/quantity.ts';
import { action, type Define, json } from '../define.ts';
import { type ControlOptions, connect, controlCommand } from './control-command.ts';

const targetHelp = 'host:port, listener/host:port, or an instance such as user-api/0';

export const drainCommand: Define = (io) =>
  controlCommand(
    'drain',
    'send no new connections to a target; those that are open go on',
    'reeve drain 127.0.0.1:20000\nreeve drain user-api/0\nreeve drain web/10.0.0.5:80 --deadline 30s\nreeve drain web/10.0.0.5:80 --resume',
  )
    .argument('<target>', targetHelp)
    .option('--deadline <duration>', 'end the connections that are still open after so long', parseDuration)
    .option('--resume', 'send connections to it again')
    .action(
      action<ControlOptions & { resume?: boolean; deadline?: number }>(io, async ([operand], options) => {
        const { resume = false, deadline } = options;
        if (resume && deadline !== undefined)
          throw new ReeveError('usage', '--resume takes the drain back: it has no --deadline');
        const order = {
          ...parseTarget(operand!),
          ...(resume ? { resume } : {}),
          ...(deadline === undefined ? {} : { deadlineMs: deadline }),
        };
        const { targets } = await (await connect(io, options)).drain(order, io.signal);
        if (options.json) io.out(json({ targets }));
        else if (!options.quiet) io.out(`${resume ? 'in balance again' : 'draining'}: ${targets.join(', ')}`);
        return exit.done;
      }),
    );

export const weightCommand: Define = (io) =>
  controlCommand(
    'weight',
    'give a target another share of the connections, until the configuration says another number',
    'reeve weight web/10.0.0.5:80 50\nreeve weight web/10.0.0.5:80 reset',
  )
    .argument('<target>', targetHelp)
    .argument('<weight>', 'from 0 (no new connections) to 256, or reset for what the configuration says')
    .action(
      action<ControlOptions>(io, async ([operand, text], options) => {
        const weight = parseWeight(text!);
        const order = { ...parseTarget(operand!), weight };
        const { targets } = await (await connect(io, options)).weigh(order, io.signal);
        if (options.json) io.out(json({ targets }));
        else if (!options.quiet) io.out(`weight ${weight ?? 'as configured'}: ${targets.join(', ')}`);
        return exit.done;
      }),
    );

function parseWeight(text: string): number | null {
  if (text === 'reset') return null;
  if (/^\d{1,3}$/.test(text) && Number(text) <= 256) return Number(text);
  throw new ReeveError('usage', `'${text}' is no weight: a number from 0 to 256 is accepted, or reset`);
}

/** `web/10.0.0.5:80` names a listener; `user-api/0` is an instance. */
function parseTarget(text: string): { target: string; listener?: string } {
  const [, listener, target] = /^([^/]+)\/(.+)$/.exec(text) ?? [];
  if (listener === undefined || target === undefined || !isHostPort(target)) return { target: text };
  return { target, listener };
}

function isHostPort(text: string): boolean {
  try {
    parseEndpoint(text);
    return /:\d+$/.test(text);
  } catch {
    return false;
  }
}
