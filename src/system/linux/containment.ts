// Keeps hold of processes that detach themselves: adopts orphans, finds a mark in environments, reaps what it adopted.
import { readFileSync } from 'node:fs';
import { errorCode, OsError } from '../../core/errors.ts';
import { checked, libc } from '../../ffi/index.ts';
import type { Containment, Processes, ProcessIdentity } from '../system.ts';
import { isProcessId, listPids } from './pids.ts';
import { hasEnded, parseStat } from './proc.ts';
import { createTurns } from './turns.ts';

/** prctl(2), since Linux 3.4. It holds for this process alone, and is not inherited. */
const PR_SET_CHILD_SUBREAPER = 36;
const WNOHANG = 1;

export function createContainment(processes: Processes): Containment {
  return {
    abilities: { adoptsOrphans: true, findsMarked: true, endsWithThis: false },
    endWithThis: () => false,
    adoptOrphans() {
      try {
        checked('prctl', libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
        return true;
      } catch (error) {
        if (error instanceof OsError) return false;
        throw error;
      }
    },
    async marked(name, value) {
      const mark = Buffer.from(`${name}=${value}`);
      const turn = createTurns();
      const found: ProcessIdentity[] = [];
      for (const pid of listPids()) {
        await turn();
        // Who it is comes first: were the PID to change hands after that, the identity would be the dead one's.
        const identity = await processes.identify(pid);
        if (identity && hasEntry(read(`/proc/${pid}/environ`), mark)) found.push(identity);
      }
      return found;
    },
    zombies: () => listPids().filter(isOwnZombie),
    // To waitpid(2) zero and less mean groups of children, and with them those that Node waits for.
    reap: (pid) => isProcessId(pid) && libc.waitpid(pid, null, WNOHANG) === pid,
  };
}

function isOwnZombie(pid: number): boolean {
  const stat = parseStat(read(`/proc/${pid}/stat`)?.toString() ?? '');
  return stat !== null && stat.parent === process.pid && hasEnded(stat);
}

/** Whether a block of NUL-terminated entries has this one, whole. */
export function hasEntry(block: Buffer | null, entry: Buffer): boolean {
  if (!block) return false;
  for (let at = block.indexOf(entry); at >= 0; at = block.indexOf(entry, at + 1)) {
    const end = at + entry.length;
    if ((at === 0 || block[at - 1] === 0) && (end === block.length || block[end] === 0)) return true;
  }
  return false;
}

/** Null where it ended, or may not be read. */
function read(file: string): Buffer | null {
  try {
    return readFileSync(file);
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes(errorCode(error) ?? '')) return null;
    throw error;
  }
}
