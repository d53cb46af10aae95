// Signals one exact process, and waits for its end: over a pidfd (Linux 5.3), which can never mean a successor.
import { constants } from 'node:os';
import { abortError, errorCode, OsError, ReeveError, sleep } from '../../core/index.ts';
import { callNumber, checked, libc, watchReadable } from '../../ffi/index.ts';
import type { ProcessIdentity, SignalOutcome } from '../system.ts';
import { isProcessId } from './pids.ts';

/** How often /proc is asked where there is no pidfd. */
const pollMs = 50;

/** Whether exactly this process still runs. */
export type IsAlive = (identity: ProcessIdentity) => boolean;

export interface Signalling {
  isAlive: IsAlive;
  /** False forces the fallback. */
  usePidfd: boolean;
  /** `nginx (1234) of user www-data`, for messages. */
  describe: (pid: number) => Promise<string>;
}

export async function signalProcess(
  identity: ProcessIdentity,
  signal: NodeJS.Signals,
  how: Signalling,
): Promise<SignalOutcome> {
  // To kill(2) zero and less mean whole groups of processes, -1 everybody: this check stands by itself.
  if (!isProcessId(identity.pid)) return 'gone';
  const fd = how.usePidfd ? openPidfd(identity.pid) : 'unavailable';
  if (fd === 'gone') return 'gone';
  try {
    // The pidfd is open, so whoever passes this check is whom the signal reaches. Without one there is a gap
    // of microseconds between this line and the next.
    if (!how.isAlive(identity)) return 'gone';
    if (fd === 'unavailable') process.kill(identity.pid, signal);
    else checked('pidfd_send_signal', sendSignal(fd, constants.signals[signal]));
    return 'sent';
  } catch (error) {
    if (errorCode(error) === 'ESRCH') return 'gone';
    if (errorCode(error) !== 'EPERM') throw error;
    const who = await how.describe(identity.pid);
    throw new ReeveError('privilege', `cannot send ${signal} to ${who}: not permitted`, {
      hint: 'Run it as that user or as root (sudo)',
      cause: error,
    });
  } finally {
    if (typeof fd === 'number') libc.close(fd);
  }
}

export async function processExited(
  identity: ProcessIdentity,
  how: Signalling,
  signal: AbortSignal,
): Promise<void> {
  if (signal.aborted) throw abortError(signal);
  const fd = how.usePidfd ? openPidfd(identity.pid) : 'unavailable';
  if (fd === 'gone') return;
  if (fd === 'unavailable') {
    while (how.isAlive(identity)) await sleep(pollMs, signal);
    return;
  }
  try {
    if (how.isAlive(identity)) await becomesReadable(fd, signal);
  } finally {
    libc.close(fd);
  }
}

/** A pidfd becomes readable when its process ends, reaped or not (pidfd_open(2)). */
function becomesReadable(fd: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (end: () => void) => {
      watch.close();
      signal.removeEventListener('abort', abort);
      end();
    };
    const abort = () => settle(() => reject(abortError(signal)));
    const watch = watchReadable(fd, () => settle(resolve));
    signal.addEventListener('abort', abort, { once: true });
  });
}

/** `unavailable`: an older kernel (ENOSYS), a sandbox (EPERM), no descriptors left. */
function openPidfd(pid: number): number | 'gone' | 'unavailable' {
  try {
    return checked('pidfd_open', libc.syscall(callNumber.pidfdOpen, pid, null, 0));
  } catch (error) {
    if (!(error instanceof OsError)) throw error;
    return error.code === 'ESRCH' ? 'gone' : 'unavailable';
  }
}

function sendSignal(fd: number, signal: number): number {
  return libc.syscall4(callNumber.pidfdSendSignal, fd, signal, null, 0);
}
