// What a command may touch: two streams, colours, the terminal's width, and the signal that Ctrl-C sets off.
import pc from 'picocolors';
import { errorMessage, exit } from '../core/errors.ts';

/** The part of `process` that the command line uses. */
export interface Host {
  stdout: NodeJS.WriteStream;
  stderr: NodeJS.WriteStream;
  stdin: NodeJS.ReadStream;
  env: NodeJS.ProcessEnv;
  exitCode?: number | string | null | undefined;
  on(event: NodeJS.Signals, listener: () => void): unknown;
  off(event: NodeJS.Signals, listener: () => void): unknown;
  removeAllListeners(event: NodeJS.Signals): unknown;
}

export type Colors = ReturnType<typeof pc.createColors>;

export interface Io {
  readonly host: Host;
  readonly env: NodeJS.ProcessEnv;
  readonly colors: Colors;
  /** Width of the terminal; null when the output goes elsewhere and lines may be as long as they like. */
  readonly columns: number | null;
  /** Whether a person can be asked. */
  readonly interactive: boolean;
  /** Aborts at the first Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal;
  exitCode: number;
  /** A message of reeve in the person's language; English as it is. */
  say(text: string): string;
  /** Whether --lang itself asked for it, so that it counts for JSON too. */
  languageAsked: boolean;
  /** Whether standard output could not be written; a reader that went away is none. */
  outputFailed: boolean;
  out(text: string): void;
  err(text: string): void;
  /** Gives the signals back, for a command that handles them itself. */
  releaseSignals(): void;
  close(): void;
}

export function createIo(args: string[], host: Host): Io {
  const abort = new AbortController();
  const stop = () => abort.abort();
  host.on('SIGINT', stop);
  host.on('SIGTERM', stop);
  // A reader that has seen enough (`reeve who | head`) is no error.
  // A full disk is told once, and shows in the exit code, whether the command has ended by then or not.
  let untold = true;
  const onError = (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') return abort.abort();
    io.outputFailed = true;
    host.exitCode = exit.no;
    if (untold) io.err(`${io.colors.red('reeve:')} the output cannot be written: ${errorMessage(error)}`);
    untold = false;
  };
  host.stdout.on('error', onError);
  // There is nobody left to tell.
  host.stderr.on('error', () => {});
  const releaseSignals = () => {
    host.off('SIGINT', stop);
    host.off('SIGTERM', stop);
  };
  const io: Io = {
    host,
    env: host.env,
    colors: pc.createColors(wantsColor(args, host)),
    columns: host.stdout.isTTY ? host.stdout.columns : null,
    // Standard input costs a millisecond to look at, so it is the last to be asked.
    interactive: Boolean(host.stdout.isTTY && host.stdin.isTTY),
    signal: abort.signal,
    exitCode: 0,
    say: (text) => text,
    languageAsked: false,
    out: (text) => void host.stdout.write(`${text}\n`),
    err: (text) => void host.stderr.write(`${text}\n`),
    releaseSignals,
    close: releaseSignals,
    outputFailed: false,
  };
  return io;
}

/** On a terminal, unless --no-color or NO_COLOR (no-color.org) say otherwise; FORCE_COLOR where there is none. */
function wantsColor(args: string[], { stdout, env }: Host): boolean {
  const before = args.includes('--') ? args.slice(0, args.indexOf('--')) : args;
  if (before.includes('--no-color') || env.NO_COLOR) return false;
  if (env.FORCE_COLOR && env.FORCE_COLOR !== '0') return true;
  return stdout.isTTY === true && env.TERM !== 'dumb';
}
