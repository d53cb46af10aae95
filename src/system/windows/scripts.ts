// Commands that are scripts of cmd.exe (npm, vite: .cmd files), which Windows does not start by themselves.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { ReeveError } from '../../core/errors.ts';
import { printable } from '../../core/text.ts';
import type { Startable } from '../startable.ts';

const extensions = ['.com', '.exe', '.bat', '.cmd'];
const script = /\.(?:bat|cmd)$/i;

/**
 * What has a meaning to cmd.exe even inside quotes: a quote ends them, % is replaced by variables, and a new line ends
 * the command (CVE-2024-24576). None of these can be escaped for every script, so they are refused.
 */
const unsafe = /["%\r\n\0]/;

/** The command itself, or cmd.exe with it where it is a script. @throws ReeveError `usage` for what cannot be quoted. */
export function startable(command: Startable, exists: (file: string) => boolean = existsSync): Startable {
  const file = find(command, exists);
  if (file === null || !script.test(file)) return command;
  const words = [file, ...command.args];
  const bad = words.find((word) => unsafe.test(word));
  if (bad !== undefined) {
    throw new ReeveError(
      'usage',
      `cannot start ${printable(file)} with '${printable(bad)}': a script of cmd.exe takes no ", % or new line in an argument`,
      { hint: 'Start the program that the script starts, such as node with its file' },
    );
  }
  const quoted = words.map((word) => `"${word.replace(/\\+$/, '$&$&')}"`).join(' ');
  const system = variable(command.env, 'SystemRoot') ?? 'C:\\Windows';
  return {
    ...command,
    program: path.win32.join(system, 'System32', 'cmd.exe'),
    // No AutoRun of the registry, no !variables!; /s takes off the outer quotes and nothing else.
    args: ['/d', '/v:off', '/s', '/c', `"${quoted}"`],
    verbatim: true,
  };
}

/** As CreateProcess and cmd.exe would: in its folder where one is named, else in the working directory and on the PATH. */
function find({ program, cwd, env }: Startable, exists: (file: string) => boolean): string | null {
  const named = /[\\/]/.test(program);
  const folders = named ? [cwd] : [cwd, ...(variable(env, 'PATH') ?? '').split(';').filter(Boolean)];
  const endings = path.win32.extname(program) === '' ? extensions : [''];
  for (const folder of folders) {
    for (const ending of endings) {
      const file = path.win32.resolve(folder, program + ending);
      if (exists(file)) return file;
    }
  }
  return null;
}

/** Windows' names of variables are the same in any case. */
function variable(env: NodeJS.ProcessEnv, name: string): string | undefined {
  const key = Object.keys(env).find((each) => each.toLowerCase() === name.toLowerCase());
  return key === undefined ? undefined : env[key];
}
