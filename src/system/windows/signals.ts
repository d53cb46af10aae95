// Ends one exact process: asked by its windows or its console, or terminated, always over a handle that is checked.

import { ReeveError } from '../../core/errors.ts';
import { abortError, sleep } from '../../core/time.ts';
import { kernel32, user32, WM_CLOSE, win } from '../../ffi/index.ts';
import type { Processes, ProcessIdentity, SignalOutcome } from '../system.ts';
import type { InterruptConsole } from './console.ts';
import { creationTime, hasEnded, isProcessId } from './handles.ts';

const pollMs = 50;
/** What a process that ended by itself would hardly return; Node shows it as this number too. */
const terminatedCode = 1;

type Held = { handle: number } | 'gone' | 'denied';

/**
 * SIGTERM and SIGINT ask: WM_CLOSE to its windows, Ctrl-C to its console. `unheard` where it has neither, or shares
 * its console with others. SIGKILL is TerminateProcess.
 */
export async function signalProcess(
  identity: ProcessIdentity,
  signal: Parameters<Processes['signal']>[1],
  interrupt: InterruptConsole,
): Promise<SignalOutcome> {
  const access = win.PROCESS_QUERY_LIMITED_INFORMATION | win.SYNCHRONIZE;
  const held = hold(identity, signal === 'SIGKILL' ? access | win.PROCESS_TERMINATE : access);
  if (held === 'gone') return 'gone';
  if (held === 'denied') throw denied(identity, signal);
  try {
    if (signal === 'SIGKILL') return terminate(held.handle, identity);
    const asked = closeWindows(identity.pid) > 0;
    const interrupted = await interrupt(identity);
    return asked || interrupted ? 'sent' : 'unheard';
  } finally {
    kernel32.CloseHandle(held.handle);
  }
}

function terminate(handle: number, identity: ProcessIdentity): SignalOutcome {
  if (kernel32.TerminateProcess(handle, terminatedCode) !== 0) return 'sent';
  if (hasEnded(handle)) return 'gone';
  throw denied(identity, 'SIGKILL');
}

export const processExited: Processes['exited'] = async (identity, signal) => {
  if (signal.aborted) throw abortError(signal);
  const held = hold(identity, win.PROCESS_QUERY_LIMITED_INFORMATION | win.SYNCHRONIZE);
  if (held === 'gone') return;
  if (held === 'denied') throw denied(identity, 'watch');
  try {
    // Waiting in a call would keep one of libuv's few threads for each process.
    while (!hasEnded(held.handle)) await sleep(pollMs, signal);
  } finally {
    kernel32.CloseHandle(held.handle);
  }
};

/** While the handle is open nobody else can get this PID, so whoever passes the check is the one that is meant. */
function hold({ pid, start }: ProcessIdentity, access: number): Held {
  if (!isProcessId(pid)) return 'gone';
  const handle = kernel32.OpenProcess(access, 0, pid);
  if (handle === 0) return kernel32.GetLastError() === win.ERROR_ACCESS_DENIED ? 'denied' : 'gone';
  if (String(creationTime(handle)) === start && !hasEnded(handle)) return { handle };
  kernel32.CloseHandle(handle);
  return 'gone';
}

function denied({ pid }: ProcessIdentity, what: string): ReeveError {
  const verb = what === 'watch' ? 'watch' : `send ${what} to`;
  return new ReeveError('privilege', `cannot ${verb} PID ${pid}: access is denied`, {
    hint: 'Run it in a terminal opened as administrator, or with reeve --elevate before the command',
  });
}

/** How many of its top-level windows were asked to close, as a click on their corner does. */
function closeWindows(pid: number): number {
  const owner = new Uint8Array(4);
  let asked = 0;
  let window = 0;
  // Windows come and go meanwhile: a bound keeps this from going round for ever.
  for (let i = 0; i < 10_000; i++) {
    window = user32.FindWindowExW(0, window, null, null);
    if (window === 0) break;
    user32.GetWindowThreadProcessId(window, owner);
    if (new DataView(owner.buffer).getUint32(0, true) !== pid) continue;
    if (user32.PostMessageW(window, WM_CLOSE, 0, 0) !== 0) asked += 1;
  }
  return asked;
}
