// The old daemon's side of an upgrade: starts the new one with the listening sockets, and lets it begin once it is ready.
import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { errorMessage, ReeveError } from '../../core/errors.ts';
import { formatDuration } from '../../core/quantity.ts';
import { sleep } from '../../core/time.ts';
import {
  type Channel,
  channelDescriptor,
  channelName,
  type Estate,
  type FromHeir,
  fromHeir,
  openChannel,
  type ToHeir,
} from './messages.ts';

/** A new daemon that could begin at once. */
export interface Heir {
  readonly pid: number;
  /** From here on both accept. Resolves with the address of its control API; rejects where it failed even now. */
  begin(): Promise<string>;
  /** Ends it, and resolves when it is gone. */
  end(): Promise<void>;
}

export interface Raising {
  /** What starts it: program and arguments. */
  command: readonly string[];
  env: NodeJS.ProcessEnv;
  estate: Omit<Estate, 'is' | 'within'>;
  /** In the order of the estate's sockets; that of the control API last. */
  descriptors: readonly number[];
  /** Milliseconds. */
  within: number;
}

/** Milliseconds: opening an inherited socket is a matter of some, so that one which takes longer hangs. */
const beginWithin = 15_000;
/** Milliseconds from SIGTERM to SIGKILL: it has services to stop. */
const endWithin = 15_000;

/** @throws ReeveError where it does not become ready: it has been ended then. */
export async function raiseHeir(raising: Raising, signal: AbortSignal): Promise<Heir> {
  const { command, env, estate, descriptors, within } = raising;
  // systemd's watchdog is told by the new main process from then on (sd_watchdog_enabled(3) asks whose PID it is).
  const { WATCHDOG_PID: _, ...inherited } = env;
  const child = spawn(command[0]!, command.slice(1), {
    stdio: ['inherit', 'inherit', 'inherit', 'pipe', ...descriptors],
    env: { ...inherited, [channelName]: String(channelDescriptor) },
    windowsHide: true,
  });
  const exited = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(`it could not be started: ${errorMessage(error)}`));
    child.once('exit', (code, by) => resolve(`it ended ${by ? `by ${by}` : `with exit code ${code}`}`));
  });
  const stream = child.stdio[channelDescriptor] as Socket | null;
  if (!stream) throw new ReeveError('fault', `the new daemon did not start: ${await exited}`);
  const channel = openChannel<FromHeir, ToHeir>(stream, fromHeir, (last) => {
    const why = last?.is === 'failed' ? last.why : 'it ended before it was ready; the log tells more';
    return new ReeveError('conflict', `the new daemon could not take over: ${why}`, {
      hint: 'This one goes on as before',
    });
  });
  const end = async () => {
    channel.close();
    await endChild(child, exited);
  };
  channel.send({ is: 'estate', ...estate, within });
  const late = AbortSignal.timeout(within);
  try {
    await channel.next('ready', AbortSignal.any([signal, late]));
  } catch (error) {
    await end();
    if (!late.aborted || signal.aborted) throw error;
    throw new ReeveError('timeout', `the new daemon was not ready within ${formatDuration(within)}`, {
      hint: 'It has been ended, and this one goes on as before; --timeout gives it longer',
    });
  }
  return { pid: child.pid!, begin: () => begin(channel, child), end };
}

async function begin(channel: Channel<FromHeir, ToHeir>, child: ChildProcess): Promise<string> {
  channel.send({ is: 'go' });
  const { control } = await channel.next('took', AbortSignal.timeout(beginWithin));
  // It stays when this process ends; the socket to it ends with this process, and tells it so.
  child.unref();
  (child.stdio[channelDescriptor] as Socket).unref();
  return control;
}

async function endChild(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  child.kill('SIGTERM');
  const given = new AbortController();
  const late = sleep(endWithin, given.signal).then(
    () => child.kill('SIGKILL'),
    () => {},
  );
  await exited;
  given.abort();
  await late;
}
