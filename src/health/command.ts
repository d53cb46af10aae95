// One command, run with a bound on its time and its output; at the end nothing of it is left.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { errorCode } from '../core/errors.ts';
import { printable } from '../core/text.ts';
import { endMarked, markName, type ProcessIdentity, type Startable, type System } from '../system/index.ts';
import { settled } from './settled.ts';

export interface CommandSpec {
  command: readonly string[];
  cwd?: string | undefined;
  env: NodeJS.ProcessEnv;
  /** Written to its standard input. */
  input?: string;
}

export interface CommandEnd {
  /** Null where a signal ended it, or it could not be started. */
  code: number | null;
  /** `exit code 1`, `killed by SIGKILL`, `could not start: …`. */
  words: string;
  /** The beginning of what it printed, both streams together. */
  output: string;
}

/** Bytes of output that are kept; more is read and dropped. */
const keptOutput = 4096;
/** Milliseconds from SIGTERM to SIGKILL. */
const patience = 300;
/** A stray descendant may hold the pipes open: after so long the command's end alone counts. */
const drainFor = 200;

/** Only POSIX has process groups. */
const hasGroups = typeof process.getuid === 'function';

/**
 * Never rejects but by the signal: then once the whole tree is gone, so that no two of one command ever run.
 * What it leaves behind when it ends by itself is killed as far as it stayed in its process group.
 */
export async function runCommand(
  { command, cwd, env, input }: CommandSpec,
  system: Pick<System, 'processes' | 'containment' | 'startable'> | undefined,
  signal: AbortSignal,
): Promise<CommandEnd> {
  const mark = randomUUID();
  const [file, ...words] = command;
  let child: ReturnType<typeof spawn>;
  try {
    const plain: Startable = { program: file!, args: words, cwd: cwd ?? process.cwd(), env };
    const { program, args, verbatim = false } = system?.startable?.(plain) ?? plain;
    child = spawn(program, args, {
      windowsVerbatimArguments: verbatim,
      ...(cwd !== undefined && { cwd }),
      env: { ...env, [markName]: mark },
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      detached: hasGroups,
      windowsHide: true,
    });
  } catch (error) {
    return notStarted(file!, error);
  }
  const output = collect(child);
  const known: ProcessIdentity[] = [];
  if (child.pid !== undefined) {
    void system?.processes.identify(child.pid).then((identity) => identity && known.push(identity));
  }
  child.stdin?.on('error', () => {});
  child.stdin?.end(input);
  const gone = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  try {
    return await settled<CommandEnd>(signal, ({ resolve }) => {
      const finish = (end: Omit<CommandEnd, 'output'>) => resolve({ ...end, output: output() });
      child.once('error', (error) => resolve(notStarted(file!, error)));
      child.once('exit', (code, by) => {
        killGroup(child.pid);
        const end = { code, words: by ? `killed by ${by}` : `exit code ${code}` };
        const timer = setTimeout(() => finish(end), drainFor);
        child.once('close', () => {
          clearTimeout(timer);
          finish(end);
        });
      });
    });
  } catch (error) {
    await endAll(child, mark, known, system);
    await gone;
    throw error;
  } finally {
    child.stdout?.destroy();
    child.stderr?.destroy();
  }
}

async function endAll(
  child: ReturnType<typeof spawn>,
  mark: string,
  known: ProcessIdentity[],
  system: Pick<System, 'processes' | 'containment'> | undefined,
): Promise<void> {
  if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) {
    if (system?.containment.abilities.findsMarked) {
      await endMarked(system, { mark, known, timeout: patience });
    } else if (!killGroup(child.pid)) child.kill('SIGKILL');
  }
}

/** A number that is still some group's is given to nobody else (POSIX, "process group lifetime"). */
function killGroup(pid: number | undefined): boolean {
  if (pid === undefined || !hasGroups) return false;
  try {
    process.kill(-pid, 'SIGKILL');
    return true;
  } catch {
    // Nobody is left in it.
    return false;
  }
}

function collect({ stdout, stderr }: ReturnType<typeof spawn>): () => string {
  const chunks: Buffer[] = [];
  let size = 0;
  for (const stream of [stdout, stderr]) {
    stream?.on('error', () => {});
    stream?.on('data', (chunk: Buffer) => {
      if (size < keptOutput) chunks.push(chunk.subarray(0, keptOutput - size));
      size += chunk.length;
    });
  }
  return () => Buffer.concat(chunks).toString();
}

function notStarted(file: string, error: unknown): CommandEnd {
  const code = errorCode(error);
  const why =
    code === 'ENOENT'
      ? `there is no program '${printable(file)}', or no such folder`
      : code === 'EACCES'
        ? `'${printable(file)}' may not be executed`
        : printable(String((error as Error).message));
  return { code: null, words: `could not start: ${why}`, output: '' };
}
