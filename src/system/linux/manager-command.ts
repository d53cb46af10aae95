// Runs one command of a service or container manager to its end, and puts its refusal into our words.
import { execFile } from 'node:child_process';
import { abortError, ReeveError } from '../../core/index.ts';
import { printable } from '../../core/text.ts';

export interface ManagerCommand {
  file: string;
  args: string[];
}

/** systemd's own default for stopping (DefaultTimeoutStopSec) is 90 s; a little more lets it report that. */
const timeoutMs = 100_000;
const maxOutput = 64 * 1024;

/**
 * No shell, no input, no questions. `purpose` completes "cannot …".
 * @throws ReeveError `timeout`, `aborted`, `privilege`, or `conflict` with what the program said.
 */
export function runManager(command: ManagerCommand, purpose: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(abortError(signal));
    const options = {
      timeout: timeoutMs,
      maxBuffer: maxOutput,
      signal,
      // Its words are matched below; and nothing may wait for a password.
      env: { ...process.env, LC_ALL: 'C', SYSTEMD_COLORS: '0', SYSTEMD_PAGER: '' },
    };
    const child = execFile(command.file, command.args, options, (error, stdout, stderr) => {
      if (!error) resolve();
      else if (signal.aborted) reject(abortError(signal));
      else if (error.killed) {
        reject(new ReeveError('timeout', `cannot ${purpose}: no answer within ${timeoutMs / 1000} s`));
      } else reject(refusal(purpose, printable(stderr || stdout || error.message).slice(0, 500), error));
    });
    child.stdin?.end();
  });
}

function refusal(purpose: string, words: string, cause: Error): ReeveError {
  const denied = /permission denied|access denied|authentication|not permitted/i.test(words);
  return new ReeveError(denied ? 'privilege' : 'conflict', `cannot ${purpose}: ${words}`, {
    ...(denied ? { hint: 'Run it as root (sudo)' } : {}),
    cause,
  });
}
