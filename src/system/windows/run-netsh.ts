// Runs a program of Windows itself that only reports, and returns what it printed.
import { execFile } from 'node:child_process';
import path from 'node:path';

/** netsh answers in a fraction of a second; a machine that is starting may take longer. */
const timeoutMs = 5000;
const maxOutput = 4 * 1024 * 1024;

/** The text, or an empty one where it failed or is not there: what it would say is then not known. */
export function systemProgram(name: string, args: string[], env = process.env): Promise<string> {
  // By its full name: another program of that name may be on the PATH.
  const file = path.win32.join(env.SystemRoot ?? 'C:\\Windows', 'System32', name);
  return new Promise((resolve) => {
    const options = { timeout: timeoutMs, maxBuffer: maxOutput, windowsHide: true };
    const child = execFile(file, args, options, (error, stdout) => resolve(error ? '' : stdout));
    child.stdin?.end();
  });
}

export const netsh = (...args: string[]) => systemProgram('netsh.exe', args);
