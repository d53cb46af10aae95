// What reeve run tells beside its command's own output: a line each, on stderr.
import { formatHostPort } from '../../core/endpoint.ts';
import { formatDuration } from '../../core/quantity.ts';
import { plural, printable } from '../../core/text.ts';
import type { Listener, RunReport } from '../../supervise/index.ts';
import type { Io } from '../io.ts';

/** `[what happened, what can be done]` */
type Words = [string, string?];

const good = new Set<RunReport['kind']>(['ready', 'relayed']);
/** With --quiet only what a person must know. */
const notes = new Set<RunReport['kind']>(['ready', 'relayed', 'shared', 'late', 'blind', 'parked-hint']);

export function renderRun(report: RunReport, options: { quiet?: boolean; json?: boolean }, io: Io): void {
  if (options.json) io.err(JSON.stringify(report));
  else if (!options.quiet || !notes.has(report.kind)) tell(report, io);
}

function tell(report: RunReport, io: Io): void {
  const { colors } = io;
  const [text, hint] = words(report);
  const mark = good.has(report.kind) ? colors.green('reeve:') : colors.yellow('reeve:');
  io.err(`${mark} ${text}`);
  if (hint) io.err(`  ${colors.dim('→')} ${hint}`);
}

function words(report: RunReport): Words {
  switch (report.kind) {
    case 'ready':
      return [`ready: ${listen(report.listeners)} after ${formatDuration(report.ms)}`];
    case 'shared':
      return [`port ${report.port} is not the command's alone: ${listen(report.strangers)} too`];
    case 'stranger':
      return [
        `port ${report.port} was taken by another program: ${listen(report.strangers)}; the command was ended`,
        `See who it is: reeve who ${report.port}`,
      ];
    case 'elsewhere':
      return [
        `${listen(report.listeners)}, not on ${report.port}`,
        'It does not heed PORT: write {port} in its arguments, or let --fix pass connections on',
      ];
    case 'late':
      return [
        `nothing of the command listens on ${report.port} after ${formatDuration(report.ms)}: ${seen(report)}`,
      ];
    case 'relayed':
      return [
        `${listen([report.to])}: what comes to port ${report.port} is passed on to there, after ${formatDuration(report.ms)}`,
      ];
    case 'lost':
      return [`port ${report.port} is not promised to this command any more: ${report.reason}`];
    case 'blind':
      return [`cannot see who listens: ${printable(report.reason)}`];
    case 'ended':
      return [report.words];
    case 'parked-hint':
      return [
        `it ended before it listened on ${report.port}, which reeve keeps parked for it`,
        'If it says that the address is in use, it does not set SO_REUSEADDR: try --no-park',
      ];
    case 'restart': {
      const again = `starts again in ${formatDuration(report.delay)}: ${report.reason}`;
      return [report.entered ? `crash-looping; from now on one try in about a minute; ${again}` : again];
    }
    case 'left':
      return [
        `${plural(report.pids.length, 'process', 'processes')} could not be ended: PID ${report.pids.join(', ')}`,
      ];
  }
}

function seen({ sight }: Extract<RunReport, { kind: 'late' }>): string {
  switch (sight.kind) {
    case 'elsewhere':
      return listen(sight.listeners);
    case 'hidden':
      return `somebody does who may not be looked into${sight.uid === null ? '' : ` (uid ${sight.uid})`}`;
    default:
      return 'nobody does';
  }
}

function listen(listeners: Listener[]): string {
  const who = new Map<string, Set<string>>();
  for (const { name, pid, protocol, address, port } of listeners) {
    const key = `${printable(name)} (PID ${pid})`;
    const place = `${protocol === 'udp' ? 'udp ' : ''}${formatHostPort(address, port)}`;
    who.set(key, (who.get(key) ?? new Set()).add(place));
  }
  return [...who].map(([key, places]) => `${key} listens on ${[...places].join(', ')}`).join('; ');
}
