// The helper's program (dist/console-interrupt.js): attaches to the console of one process and presses Ctrl-C there, or Ctrl-Break.
import { kernel32, win } from '../../ffi/index.ts';
import { interruptResult, mayInterrupt } from './console.ts';
import { ignoresCtrlC, withProcess } from './handles.ts';
import { listProcesses, runningSince } from './processes.ts';

/** Time for the handlers to be started: they run in the processes that are told, and this one must stay attached. */
const lingerMs = 100;

function interrupt(pid: number, start: string, asking: number): number {
  const { sent, noConsole, shared, gone } = interruptResult;
  kernel32.FreeConsole();
  if (kernel32.AttachConsole(pid) === 0) return noConsole;
  if (String(runningSince(pid)) !== start) return gone;
  const attached = attachedPids().filter((one) => one !== process.pid);
  if (!mayInterrupt(attached, pid, asking, listProcesses())) return shared;
  const access = win.PROCESS_QUERY_INFORMATION | win.PROCESS_VM_READ;
  const deaf = withProcess(pid, access, ignoresCtrlC) ?? false;
  // From here on this process ignores both: Ctrl-C as Windows has it, Ctrl-Break as Node has it.
  kernel32.SetConsoleCtrlHandler(null, 1);
  process.on('SIGBREAK', () => {});
  const event = deaf ? win.CTRL_BREAK_EVENT : win.CTRL_C_EVENT;
  if (kernel32.GenerateConsoleCtrlEvent(event, 0) === 0) return noConsole;
  kernel32.Sleep(lingerMs);
  return sent;
}

function attachedPids(): number[] {
  for (let room = 256; room <= 65_536; room *= 4) {
    const bytes = new Uint8Array(4 * room);
    const count = kernel32.GetConsoleProcessList(bytes, room);
    if (count <= room) return [...new Uint32Array(bytes.buffer, 0, count)];
  }
  return [];
}

const [pid = '', start = '', asking = ''] = process.argv.slice(2);
process.exit(interrupt(Number(pid), start, Number(asking)));
