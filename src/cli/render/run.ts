// What reeve run tells beside its command's own output: a line each, on stderr.
import { formatHostPort } from '../../core/endpoint.ts';
import { formatDuration } from '../../core/quantity.ts';
import { plural, printable } from '../../core/text.ts';
import type { Listener, RunReport } from '../../supervise/index.ts';
import type { Io } from '../io.ts';
import { renderChecks } from './checks.ts';

/** `[what happened, what can be done]` */
type Words = [string, string?];

const good = new Set<RunReport['kind']>(['ready', 'relayed']);
/** With --quiet only what a person must know. */
const notes = new Set<RunReport['kind']>([
  'waiting',
  'moved',
  'ready',
  'relayed',
  'shared',
  'late',
  'blind',
  'parked-hint',
  'swept',
]);

export interface RunVoice {
  quiet?: boolean;
  json?: boolean;
  /** The command was given a socket that listens already. */
  socket?: boolean;
}

export function renderRun(report: RunReport, voice: RunVoice, io: Io): void {
  if (voice.json) io.err(JSON.stringify(report));
  else if (!voice.quiet || !notes.has(report.kind)) tell(report, voice, io);
}

function tell(report: RunReport, voice: RunVoice, io: Io): void {
  const { colors } = io;
  const [text, hint] = words(report, voice);
  if (report.kind === 'not-up') renderChecks(report.results, { ...io, out: io.err });
  const mark = good.has(report.kind) ? colors.green('reeve:') : colors.yellow('reeve:');
  io.err(`${mark} ${text}`);
  if (hint) io.err(`  ${colors.dim('→')} ${hint}`);
}

function words(report: RunReport, { socket }: RunVoice): Words {
  switch (report.kind) {
    case 'waiting':
      return [`waits for ${report.urls.map(printable).join(' and ')}`];
    case 'not-up':
      return [
        `the command was not started: what it waits for was not up within ${formatDuration(report.ms)}`,
        'Give it longer: --timeout 5m',
      ];
    case 'moved': {
      const { name, from, port, why } = report;
      return [`moved ${printable(name)} from port ${from} to ${port}: ${printable(why)}`];
    }
    case 'ready': {
      // Nobody can see whether it accepts.
      const what = listen(report.listeners, socket ? 'has the socket on' : 'listens on');
      return [`ready: ${what} after ${formatDuration(report.ms)}`];
    }
    case 'shared':
      return [`port ${report.port} is not the command's alone: ${listen(report.strangers)} too`];
    case 'stranger':
      return [
        `port ${report.port} was taken by another program: ${listen(report.strangers)}; the command was ended`,
        `Stop it: reeve free ${report.port}, or run this again: it gets another port then`,
      ];
    case 'elsewhere':
      return [
        `${listen(report.listeners)}, not on ${report.port}`,
        'Unless it is still starting, it does not heed PORT: write {port} in its arguments, or let --fix pass connections on',
      ];
    case 'late':
      return [`after ${formatDuration(report.ms)} ${seen(report)}`];
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
        `if that was "address already in use": it does not share port ${report.port}, which reeve keeps parked; try --no-park`,
      ];
    case 'restart': {
      const again = `starts again in ${formatDuration(report.delay)}: ${report.reason}`;
      return [report.entered ? `crash-looping; from now on one try in about a minute; ${again}` : again];
    }
    case 'swept': {
      const who = report.processes.map(({ pid, name }) => `${printable(name)} (PID ${pid})`).join(', ');
      return [
        `the command has ended, so what it left running is ended: ${who}`,
        'Let it stay in the foreground, or wait for what it starts',
      ];
    }
    case 'left':
      return [
        `${plural(report.pids.length, 'process', 'processes')} could not be ended: PID ${report.pids.join(', ')}`,
      ];
  }
}

function seen({ sight, port }: Extract<RunReport, { kind: 'late' }>): string {
  if (sight.kind !== 'hidden') return `nothing listens on port ${port}`;
  const user = sight.uid === null ? '' : ` (uid ${sight.uid})`;
  return `somebody listens on port ${port} who may not be looked into${user}`;
}

function listen(listeners: Listener[], verb = 'listens on'): string {
  const who = new Map<string, Set<string>>();
  for (const { name, pid, protocol, address, port } of listeners) {
    const key = `${printable(name)} (PID ${pid})`;
    const place = `${protocol === 'udp' ? 'udp ' : ''}${formatHostPort(address, port)}`;
    who.set(key, (who.get(key) ?? new Set()).add(place));
  }
  return [...who].map(([key, places]) => `${key} ${verb} ${[...places].join(', ')}`).join('; ');
}
