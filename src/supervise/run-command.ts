// The command of `reeve run`: in the foreground, on reeve's own terminal and streams, until it exits.
import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants as fsConstants, statSync } from 'node:fs';
import { constants } from 'node:os';
import path from 'node:path';
import { errorCode, errorMessage } from '../core/errors.ts';
import { printable } from '../core/text.ts';
import type { Launch } from './launch.ts';

/** How shells say that a command was not found, and that it was but cannot be executed (POSIX, 2.8.2). */
const notFound = 127;
const notExecutable = 126;

export interface CommandEnd {
  /** As a shell has it: 128 and the signal's number where a signal ended it. */
  code: number;
  signal: NodeJS.Signals | null;
  words: string;
  /** False: it never ran. */
  started: boolean;
}

export interface Command {
  /** Null when it could not be started. */
  readonly pid: number | null;
  readonly ended: Promise<CommandEnd>;
  /** Nothing happens once it has ended. */
  signal(name: NodeJS.Signals): void;
}

/**
 * It stays in reeve's own process group: then the terminal's Ctrl-C and Ctrl-Z mean both, and it may read from the
 * terminal. `socket` becomes its descriptor 3.
 */
export function startCommand(launch: Launch, socket: number | null): Command {
  const missing = socket === null ? null : whyNotFound(launch);
  if (missing) return { pid: null, ended: Promise.resolve(neverRan(missing, launch)), signal() {} };
  const { program, args, env } = socket === null ? launch : withSocket(launch);
  let child: ChildProcess;
  try {
    child = spawn(program, args, {
      cwd: launch.cwd,
      env,
      windowsVerbatimArguments: launch.verbatim ?? false,
      stdio: ['inherit', 'inherit', 'inherit', ...(socket === null ? [] : [socket])],
    });
  } catch (error) {
    return { pid: null, ended: Promise.resolve(neverRan(error, launch)), signal() {} };
  }
  const ended = new Promise<CommandEnd>((resolve) => {
    child.once('exit', (code, signal) => {
      resolve({
        code: code ?? 128 + constants.signals[signal!],
        signal,
        words: signal ? `killed by ${signal}` : `exit code ${code}`,
        started: true,
      });
    });
    child.on('error', (error) => {
      if (child.pid === undefined) resolve(neverRan(error, launch));
    });
  });
  return {
    pid: child.pid ?? null,
    ended,
    // Node reaps it, so until it says so the PID is nobody else's.
    signal: (name) => void child.kill(name),
  };
}

/** LISTEN_PID must be the command's own PID (sd_listen_fds(3)), which nobody knows before it runs. */
function withSocket(launch: Launch): Launch {
  const { program, args, env } = launch;
  return {
    ...launch,
    program: '/bin/sh',
    args: ['-c', 'LISTEN_PID=$$ exec "$@"', 'sh', program, ...args],
    env: { ...env, LISTEN_FDS: '1' },
  };
}

/** What a start without that shell would fail with: the shell would have run, and its end be taken for the program's. */
function whyNotFound({ program, cwd, env }: Launch): Error | null {
  let code = 'ENOENT';
  const isPath = program.includes('/');
  // Without PATH the shell has one of its own.
  if (!isPath && env.PATH === undefined) return null;
  for (const folder of isPath ? ['.'] : env.PATH!.split(':')) {
    const file = path.resolve(cwd, folder, program);
    try {
      accessSync(file, fsConstants.X_OK);
      if (statSync(file).isFile()) return null;
      code = 'EACCES';
    } catch (error) {
      if (errorCode(error) === 'EACCES') code = 'EACCES';
    }
  }
  return Object.assign(new Error(code), { code });
}

function neverRan(error: unknown, { program }: Launch): CommandEnd {
  const code = errorCode(error);
  const words =
    code === 'ENOENT'
      ? `there is no program '${printable(program)}'`
      : code === 'EACCES'
        ? `'${printable(program)}' may not be executed`
        : printable(errorMessage(error));
  return {
    code: code === 'ENOENT' ? notFound : notExecutable,
    signal: null,
    words: `could not start: ${words}`,
    started: false,
  };
}
