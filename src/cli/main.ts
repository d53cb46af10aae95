// One run of the command line: arguments in, exit code out; every error is told in the same way.
import { type Command, CommanderError } from 'commander';
import { errorCode, errorMessage, exit, isReeveError } from '../core/errors.ts';
import type { Define } from './define.ts';
import { elevate, withoutElevate } from './elevate.ts';
import { createIo, type Host, type Io } from './io.ts';
import { speak } from './lang/choose.ts';
import { buildProgram } from './program.ts';

/** What can be said to it. */
export interface Words {
  commands: readonly Define[];
  /** What the help does not show. */
  hidden?: readonly Define[];
  /** For a person who says nothing. */
  glance?: (io: Io) => Promise<number>;
}

/** @returns the exit code (core/errors.ts has the table). */
export async function main(
  args: string[],
  host: Host,
  { commands, hidden = [], glance }: Words,
): Promise<number> {
  const io = createIo(args, host);
  const program = buildProgram(io, commands, hidden);
  try {
    await speak(io, args);
    // A glance for a person; a program that forgot its command gets the help, as a mistake.
    if (args.length === 0 && io.interactive && glance) return await glance(io);
    const elevated = withoutElevate(args);
    if (elevated) {
      const code = await elevate(elevated, process.argv[1] ?? 'reeve', io);
      if (code !== null) return code;
    }
    await program.parseAsync(helpAsked(elevated ?? args, program), { from: 'user' });
    return io.outputFailed ? exit.no : io.exitCode;
  } catch (error) {
    return tell(error, io);
  } finally {
    io.close();
  }
}

/** commander answers help for an unknown command with all of its help, and does not say that there is no such command. */
function helpAsked(args: string[], program: Command): string[] {
  const [first, asked] = args;
  const unknown = first === 'help' && asked && !program.commands.some((each) => each.name() === asked);
  return unknown && asked !== 'help' ? [asked] : args;
}

function tell(error: unknown, io: Io): number {
  if (error instanceof CommanderError) {
    // Help and version are told by throwing too.
    return error.exitCode === 0 ? exit.done : exit.usage;
  }
  if (io.signal.aborted) return interrupted;
  const { colors } = io;
  if (isReeveError(error)) {
    io.err(`${colors.red('reeve:')} ${io.say(error.message)}`);
    if (error.hint) io.err(`  ${colors.dim('→')} ${io.say(error.hint)}`);
    return error.exitCode;
  }
  if (['EMFILE', 'ENFILE'].includes(errorCode(error) ?? '')) {
    io.err(`${colors.red('reeve:')} no file descriptor is left (${errorMessage(error)})`);
    io.err(`  ${colors.dim('→')} raise the limit: ulimit -n 1024`);
    return exit.unknown;
  }
  if (error instanceof Error && 'syscall' in error && error.syscall === 'uv_cwd') {
    io.err(`${colors.red('reeve:')} the folder that this was started in is not there any more`);
    io.err(`  ${colors.dim('→')} Go to one that is: cd`);
    return exit.usage;
  }
  if (refusals.has(errorCode(error) ?? '')) {
    io.err(`${colors.red('reeve:')} ${errorMessage(error)}`);
    return /^E(NOSPC|DQUOT)$/.test(errorCode(error)!) ? exit.no : exit.privilege;
  }
  io.err(
    `${colors.red('reeve: a fault in reeve itself:')} ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
  );
  return exit.fault;
}

/** The system does not let this user write, or there is no room: its own words name the file. */
const refusals = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT']);

/** 128 + SIGINT, as shells have it. */
const interrupted = 130;
