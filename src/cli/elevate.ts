// reeve --elevate <command…>: the same command with all rights, where somebody can be asked for them.
import { ReeveError } from '../core/errors.ts';
import type { Io } from './io.ts';

const flag = '--elevate';

/** The arguments without the flag, which stands before the command; null where it is not asked for. */
export function withoutElevate(args: readonly string[]): string[] | null {
  const at = args.findIndex((word) => word === flag || !word.startsWith('-'));
  return args[at] === flag ? args.toSpliced(at, 1) : null;
}

/**
 * The exit code of the command; null where this process has all rights already, and may go on by itself.
 * @throws ReeveError `privilege` with the command to copy, where nobody can be asked here.
 */
export async function elevate(args: readonly string[], script: string, io: Io): Promise<number | null> {
  if (args.every((word) => word.startsWith('-'))) {
    throw new ReeveError('usage', `${flag} needs a command to run`, {
      hint: 'Such as: reeve --elevate who 3000',
    });
  }
  const { selectSystem } = await import('../system/select.ts');
  const { elevation } = await selectSystem();
  if (elevation.has()) return null;
  const program = [process.execPath, script, ...args];
  const run = await elevation.run(program, io.signal);
  if (!run) {
    throw new ReeveError('privilege', 'more rights are needed, and nobody here can be asked for them', {
      hint: elevation.words(program),
    });
  }
  if (run.stdout) io.out(run.stdout.trimEnd());
  if (run.stderr) io.err(run.stderr.trimEnd());
  return run.code;
}
