// Keeps hold of processes that detach themselves: in a group, as adopted orphans, by a mark in environments.
import { readFileSync } from 'node:fs';
import { errorCode, OsError } from '../../core/errors.ts';
import { checked, libc } from '../../ffi/index.ts';
import type { Containment, Processes, ProcessIdentity } from '../system.ts';
import { createGroups } from './groups.ts';
import { isProcessId, listPids } from './pids.ts';
import { hasEnded, parseStat } from './proc.ts';
import { createTurns } from './turns.ts';

/** prctl(2), since Linux 3.4. It holds for this process alone, and is not inherited. */
const PR_SET_CHILD_SUBREAPER = 36;
const WNOHANG = 1;

export function createContainment(processes: Processes): Containment {
  const groups = createGroups();
  return {
    abilities: {
      adoptsOrphans: true,
      findsMarked: true,
      endsWithThis: false,
      // Asked of the system only when somebody wants to know.
      get encloses() {
        return groups.areThere;
      },
    },
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
    enclose: groups.enclose,
    killEnclosed: groups.kill,
    dissolve: groups.dissolve,
    async marked(name, value) {
      const mark = Buffer.from(`${name}=${value}`);
      const turn = createTurns();
      const grouped = new Set(groups.members(value));
      const found: ProcessIdentity[] = [];
      const inGroup: ProcessIdentity[] = [];
      for (const pid of listPids()) {
        await turn();
        // Who it is comes first: were the PID to change hands after that, the identity would be the dead one's.
        const identity = await processes.identify(pid);
        if (!identity) continue;
        if (grouped.has(pid)) inGroup.push(identity);
        else if (hasEntry(read(`/proc/${pid}/environ`), mark)) found.push(identity);
      }
      // In the group before and after it was identified: the PID was nobody else's.
      const still = new Set(inGroup.length === 0 ? [] : groups.members(value));
      return [...found, ...inGroup.filter(({ pid }) => still.has(pid))];
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
