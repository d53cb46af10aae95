// Processes of macOS. A start is told in microseconds, which two processes on one PID cannot share.
import { isProcessId } from '../linux/pids.ts';
import { processExited, type Signalling, signalProcess } from '../linux/signals.ts';
import type { UserName } from '../linux/users.ts';
import type { Processes, ProcessFacts, ProcessNode } from '../system.ts';
import type { Ask } from './ask.ts';
import type { ListedProcess } from './process-info.ts';

/** MAXCOMLEN: longer names of programs are cut. */
const nameLimit = 16;

export function createProcesses(ask: Ask, userName: UserName): Processes {
  const find = (pid: number) => (isProcessId(pid) ? ask.process(pid) : null);
  const toNode = (listed: ListedProcess): ProcessNode => ({
    pid: listed.pid,
    start: listed.start,
    parent: listed.parent > 0 ? listed.parent : null,
    name: nameOf(listed),
  });
  const nameOf = ({ pid, name }: ListedProcess) => {
    const whole = Buffer.byteLength(name) < nameLimit ? name : (ask.program(pid)?.split('/').at(-1) ?? '');
    return whole.startsWith(name) ? whole : name;
  };

  async function facts(pid: number): Promise<ProcessFacts | null> {
    const listed = find(pid);
    if (!listed) return null;
    const command = ask.arguments(pid)?.command ?? [];
    const program = command.length > 0 ? null : ask.program(pid);
    return {
      ...toNode(listed),
      command: program === null ? command : [program],
      user: await userName(listed.uid),
      uid: listed.uid,
      cwd: ask.folder(pid),
      startedAt: listed.startedAt,
      // launchd does not tell which of its jobs a process is.
      unit: null,
      services: [],
      container: null,
    };
  }

  const signalling: Signalling = {
    isAlive: ({ pid, start }) => find(pid)?.start === start,
    usePidfd: false,
    describe: async (pid) => {
      const known = await facts(pid);
      return known ? `${known.name} (PID ${pid}) of user ${known.user}` : `PID ${pid}`;
    },
  };

  return {
    facts,
    list: async () => ask.processes().map(toNode),
    async identify(pid) {
      const listed = find(pid);
      return listed && { pid, start: listed.start };
    },
    signal: (identity, signal) => signalProcess(identity, signal, signalling),
    exited: (identity, signal) => processExited(identity, signalling, signal),
  };
}
