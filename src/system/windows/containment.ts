// Keeps hold of what was started: job objects, which no process leaves, and a mark found in environments.
import { kernel32, succeeded, win } from '../../ffi/index.ts';
import type { Containment, Processes, ProcessIdentity } from '../system.ts';
import { environment, withProcess } from './handles.ts';

/** JOBOBJECT_EXTENDED_LIMIT_INFORMATION on 64 bits: 144 bytes, LimitFlags at 16 (winnt.h). */
const limits = { size: 144, flags: 16 } as const;

export function createContainment(processes: Processes): Containment {
  /** Never closed here: the end of this process does that, and with it the end of all in the job. */
  let own: number | null = null;
  return {
    abilities: { adoptsOrphans: false, findsMarked: true, endsWithThis: true, encloses: false },
    enclose: (_mark, start) => start(),
    killEnclosed() {},
    dissolve() {},
    adoptOrphans: () => false,
    endWithThis() {
      own ??= joinOwnJob();
      return own !== 0;
    },
    async marked(name, value) {
      const mark = Buffer.from(`${name}=${value}\0`, 'utf16le');
      const found: ProcessIdentity[] = [];
      for (const { pid, start } of await processes.list()) {
        const access = win.PROCESS_QUERY_INFORMATION | win.PROCESS_VM_READ;
        const block = withProcess(pid, access, environment);
        if (block && hasEntry(block, mark)) found.push({ pid, start });
      }
      return found;
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
 * at the first job that does not allow it ("Nested Jobs", Windows 8). 0 where this process may not be put into one.
 */
function joinOwnJob(): number {
  const job = kernel32.CreateJobObjectW(null, null);
  if (job === 0) return 0;
  try {
    const value = new Uint8Array(limits.size);
    new DataView(value.buffer).setUint32(limits.flags, win.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE, true);
    const kind = win.JobObjectExtendedLimitInformation;
    succeeded('SetInformationJobObject', kernel32.SetInformationJobObject(job, kind, value, value.length));
    const self = kernel32.GetCurrentProcess();
    succeeded('AssignProcessToJobObject', kernel32.AssignProcessToJobObject(job, self));
    return job;
  } catch {
    kernel32.CloseHandle(job);
    return 0;
  }
}
