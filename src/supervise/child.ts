// One process group that reeve started: its output, its exit, and signals that reach nobody else.
import { type ChildProcess, spawn } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { constants } from 'node:os';
import type { Readable } from 'node:stream';
import { errorCode, errorMessage } from '../core/errors.ts';
import { formatDuration } from '../core/quantity.ts';
import { plural, printable } from '../core/text.ts';
import { sleep } from '../core/time.ts';
import type { Launch } from './launch.ts';

/** Output that is still in the pipe when the leader ends is read for so long; then a stray writer is cut off. */
const drainFor = 500;
/** A process that SIGKILL has not ended by then is stuck in the kernel: waiting longer helps nobody. */
const killWithin = 5000;

const pollGroupEvery = 20;

/** Only POSIX has process groups, and only POSIX counts users by number. */
const hasGroups = typeof process.getuid === 'function';

export interface StopPolicy {
  signal: NodeJS.Signals;
  /** Milliseconds until SIGKILL. */
  timeout: number;
}

/** How a process ended. */
export interface Ending {
  reason: 'exit' | 'signal' | 'could-not-start';
  /** Null unless it ended by itself. */
  code: number | null;
  /** `exit code 1`, `killed by SIGKILL`, `could not start: …`. */
  words: string;
}

export interface ChildHooks {
  output(stream: 'stdout' | 'stderr', readable: Readable): void;
  /** Once: in the turn in which the exit is seen, or, in a stop, when the whole group is gone. */
  exit(ending: Ending): void;
  /** Asks it to end where there are no groups to signal, and Node's own kill() would only terminate it. */
  ask(pid: number): Promise<void>;
  /** How many processes the kernel has ended for want of memory so far; null where it does not say. */
  memoryKills(): number | null;
}

export interface Child {
  /** Null when it could not be started. */
  readonly pid: number | null;
  /** Ends the whole group; resolves when it is gone. False if not even SIGKILL ended the leader in time. */
  stop(policy: StopPolicy): Promise<boolean>;
}

export function startChild(launch: Launch, hooks: ChildHooks): Child {
  let child: ChildProcess;
  try {
    child = spawn(launch.program, launch.args, {
      cwd: launch.cwd,
      env: launch.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: hasGroups,
      ...(launch.uid !== undefined && { uid: launch.uid }),
      ...(launch.gid !== undefined && { gid: launch.gid }),
      windowsHide: true,
      windowsVerbatimArguments: launch.verbatim ?? false,
    });
  } catch (error) {
    // Some failures (arguments too long, a NUL byte) are thrown, others are events: one way out for both.
    queueMicrotask(() => hooks.exit(notStarted(printable(errorMessage(error)))));
    return { pid: null, stop: async () => true };
  }
  // A pipe that breaks has nothing more to say; the exit of the process tells the rest.
  for (const pipe of [child.stdout!, child.stderr!]) pipe.on('error', () => {});
  hooks.output('stdout', child.stdout!);
  hooks.output('stderr', child.stderr!);

  let stopping = false;
  let killed = false;
  const killsBefore = hooks.memoryKills();
  let patience = '';
  let gone = false;
  const kill = (signal: NodeJS.Signals) => {
    killed ||= signal === 'SIGKILL';
    if (gone) return;
    if (hasGroups || signal === 'SIGKILL') signalGroup(child, signal);
    else if (child.pid !== undefined) void hooks.ask(child.pid);
  };
  /** The kernel ends whoever has most, and tells a parent no more than SIGKILL. */
  const ranOut = (signal: NodeJS.Signals) => {
    const kills = (hooks.memoryKills() ?? 0) - (killsBefore ?? 0);
    if (signal !== 'SIGKILL' || killsBefore === null || kills <= 0) return '';
    return `; since its start the kernel has ended ${plural(kills, 'process', 'processes')} for want of memory`;
  };
  const exited = new Promise<void>((resolve) => {
    const leave = (ending: Ending) => {
      gone = true;
      cutOffOutput(child);
      hooks.exit(ending);
      resolve();
    };
    child.once('exit', (code, signal) => {
      const ending: Ending = signal
        ? { reason: 'signal', code: null, words: `killed by ${signal}${killed ? patience : ranOut(signal)}` }
        : { reason: 'exit', code, words: `exit code ${code}${shellWords(code!)}` };
      if (stopping) void untilEmpty(child, () => killed).then(() => leave(ending));
      else {
        kill('SIGKILL');
        leave(ending);
      }
    });
    child.on('error', (error) => {
      if (child.pid === undefined) void explain(error, launch).then((why) => leave(notStarted(why)));
    });
  });
  return {
    pid: child.pid ?? null,
    async stop({ signal, timeout }) {
      stopping = true;
      patience = `, since it had not ended ${formatDuration(timeout)} after ${signal}`;
      kill(signal);
      if (await within(exited, timeout)) return true;
      kill('SIGKILL');
      return within(exited, killWithin);
    },
  };
}

/**
 * A shell that was told to stop ends before the server that it started: that one gets its time too. After SIGKILL
 * nobody is waited for, since a first process of a container that reaps no orphans would keep the group for ever.
 */
async function untilEmpty(child: ChildProcess, killed: () => boolean): Promise<void> {
  while (!killed() && signalGroup(child, 0)) await sleep(pollGroupEvery);
}

/**
 * False when nobody is left. The number stays ours until then: the kernel gives no number away that is still some
 * process's or group's (Linux kernel/pid.c; POSIX, "process group lifetime").
 */
function signalGroup(child: ChildProcess, signal: NodeJS.Signals | 0): boolean {
  const leaderIsOurs = child.exitCode === null && child.signalCode === null;
  if (child.pid === undefined || !(hasGroups || leaderIsOurs)) return false;
  try {
    if (hasGroups) process.kill(-child.pid, signal);
    else child.kill(signal);
    return true;
  } catch (error) {
    // ESRCH: nobody is left. EPERM: what is left changed its user, and macOS says so for zombies.
    if (['ESRCH', 'EPERM'].includes(errorCode(error) ?? '')) return false;
    throw error;
  }
}

/** What a shell means by it (POSIX 2.8.2): the command is often one, and so is what sets limits. */
function shellWords(code: number): string {
  const signal = Object.entries(constants.signals).find(([, number]) => code === 128 + number)?.[0];
  const means = { 126: 'command may not be executed', 127: 'command not found' }[code];
  return means || signal ? ` (of a shell: ${means ?? `killed by ${signal}`})` : '';
}

function cutOffOutput(child: ChildProcess): void {
  const timer = setTimeout(() => {
    child.stdout?.destroy();
    child.stderr?.destroy();
  }, drainFor);
  child.once('close', () => clearTimeout(timer));
}

function notStarted(why: string): Ending {
  return { reason: 'could-not-start', code: null, words: `could not start: ${why}` };
}

/** A missing folder and a missing program are both ENOENT: say which. */
async function explain(error: Error, { program, cwd }: Launch): Promise<string> {
  const code = errorCode(error);
  const folder = await stat(cwd).catch(() => null);
  if (!folder?.isDirectory()) return `there is no folder '${printable(cwd)}'`;
  if (code === 'ENOENT') return `there is no program '${printable(program)}'`;
  if (code === 'EACCES') return `'${printable(program)}' may not be executed`;
  return printable(error.message);
}

function within(done: Promise<void>, ms: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), ms);
    void done.then(() => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}
