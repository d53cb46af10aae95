// exec:command: exit code 0 is up, 1 is degraded, every other end is down.
import { commandWords, type ProbeUrl } from '../core/probe-url.ts';
import { printable } from '../core/text.ts';
import { runCommand } from './command.ts';
import { type Attempt, fail, type Outcome, ProbeFailure } from './outcome.ts';

/** Of what it printed, so much is told. */
const toldOutput = 300;

export async function probeExec({ rest }: ProbeUrl, attempt: Attempt, signal: AbortSignal): Promise<Outcome> {
  attempt.phase = 'running the command';
  const { command = commandWords(rest), cwd, env = process.env } = attempt.exec ?? {};
  const { code, words, output } = await runCommand({ command, cwd, env }, attempt.system, signal);
  const said = printable(output).slice(0, toldOutput);
  const detail = said === '' ? words : `${words}: ${said}`;
  if (code === 0) return { verdict: 'up', reason: null, detail };
  if (code === 1) return { verdict: 'up', reason: 'warning', degraded: true, detail };
  if (!words.startsWith('could not start')) throw fail('exit', detail);
  throw new ProbeFailure({ verdict: 'unknown', reason: 'local', detail });
}
