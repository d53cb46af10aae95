// Keeps hold of what was started: job objects, which no process leaves, and a mark found in environments.
import { kernel32, win } from '../../ffi/index.ts';
import type { Containment, ProcessNode } from '../system.ts';
import { environment, withProcess } from './handles.ts';
import { createJob, createJobs, endOnClose, joinJob } from './jobs.ts';

export function createContainment(list: () => ProcessNode[]): Containment {
  /** Never closed here: the end of this process does that, and with it the end of all in the job. */
  let own: number | null | undefined;
  const jobs = createJobs(list);
  return {
    abilities: { adoptsOrphans: false, findsMarked: true, endsWithThis: true, encloses: true },
    adoptOrphans: () => false,
    endWithThis() {
      if (own === undefined) own = joinOwnJob();
      return own !== null;
    },
    enclose: jobs.enclose,
    killEnclosed: jobs.kill,
    dissolve: jobs.dissolve,
    async marked(name, value) {
      const mark = Buffer.from(`${name}=${value}\0`, 'utf16le');
      const enclosed = new Set(jobs.members(value));
      const access = win.PROCESS_QUERY_INFORMATION | win.PROCESS_VM_READ;
      const isMarked = (pid: number) => {
        const block = withProcess(pid, access, environment);
        return block !== null && hasEntry(block, mark);
      };
      return list()
        .filter(({ pid }) => enclosed.has(pid) || isMarked(pid))
        .map(({ pid, start }) => ({ pid, start }));
    },
    zombies: () => [],
    reap: () => false,
  };
}

/** Whether a block of NUL-terminated UTF-16 entries has this one, whole; the mark has its NUL with it. */
export function hasEntry(block: Buffer, mark: Buffer): boolean {
  for (let at = block.indexOf(mark); at >= 0; at = block.indexOf(mark, at + 1)) {
    if (at % 2 === 0 && (at === 0 || block.readUInt16LE(at - 2) === 0)) return true;
  }
  return false;
}

/**
 * libuv's own job lets grandchildren break away silently; nested inside this one they cannot, since a breakaway ends
 * at the first job that does not allow it ("Nested Jobs", Windows 8). Null where this process may not be put into one.
 */
function joinOwnJob(): number | null {
  const job = createJob();
  if (job === null) return null;
  try {
    endOnClose(job);
    joinJob(job);
    return job;
  } catch {
    kernel32.CloseHandle(job);
    return null;
  }
}
