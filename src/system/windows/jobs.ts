// Job objects: groups of processes that nobody in them leaves, listed and ended at one stroke.
import { kernel32, succeeded, win } from '../../ffi/index.ts';
import type { ProcessNode } from '../system.ts';
import { withProcess } from './handles.ts';

/** JOBOBJECT_EXTENDED_LIMIT_INFORMATION on 64 bits: 144 bytes, LimitFlags at 16 (winnt.h). */
const limits = { size: 144, flags: 16 } as const;
/** JOBOBJECT_BASIC_PROCESS_ID_LIST: two counts, then a word of 8 bytes for each PID. */
const list = { listed: 4, pids: 8 } as const;
const endedCode = 1;

/** Null where this system gives none. */
export function createJob(): number | null {
  return kernel32.CreateJobObjectW(null, null) || null;
}

/** All in the job end when its last handle is closed, which the end of its owner does too. */
export function endOnClose(job: number): void {
  const value = new Uint8Array(limits.size);
  new DataView(value.buffer).setUint32(limits.flags, win.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE, true);
  const kind = win.JobObjectExtendedLimitInformation;
  succeeded('SetInformationJobObject', kernel32.SetInformationJobObject(job, kind, value, value.length));
}

export function joinJob(job: number, process = kernel32.GetCurrentProcess()): void {
  succeeded('AssignProcessToJobObject', kernel32.AssignProcessToJobObject(job, process));
}

export function pidsIn(job: number): number[] {
  for (let room = 64; room <= 65_536; room *= 8) {
    const bytes = new Uint8Array(list.pids + 8 * room);
    const used = new Uint8Array(4);
    const kind = win.JobObjectBasicProcessIdList;
    if (kernel32.QueryInformationJobObject(job, kind, bytes, bytes.length, used) === 0) {
      if (kernel32.GetLastError() === win.ERROR_MORE_DATA) continue;
      return [];
    }
    const view = new DataView(bytes.buffer);
    const count = view.getUint32(list.listed, true);
    return Array.from({ length: count }, (_, i) => Number(view.getBigUint64(list.pids + 8 * i, true)));
  }
  return [];
}

export interface Jobs {
  enclose<Result>(name: string, start: () => Result): Result;
  members(name: string): number[];
  kill(name: string): void;
  dissolve(name: string): void;
}

/**
 * A job for each name. A child that starts others in the moment before it is put into its job is alone in there: what
 * it started then is found by its mark, and ended with this process by the job around all.
 */
export function createJobs(processes: () => ProcessNode[]): Jobs {
  const jobs = new Map<string, number>();
  const children = () => processes().filter(({ parent }) => parent === process.pid);
  return {
    enclose(name, start) {
      const job = jobs.get(name) ?? createJob();
      if (job === null) return start();
      jobs.set(name, job);
      const before = new Set(children().map(({ pid, start: began }) => `${pid} ${began}`));
      const result = start();
      for (const { pid, start: began } of children()) {
        if (before.has(`${pid} ${began}`)) continue;
        withProcess(pid, win.PROCESS_SET_QUOTA | win.PROCESS_TERMINATE, (child) =>
          kernel32.AssignProcessToJobObject(job, child),
        );
      }
      return result;
    },
    members: (name) => (jobs.has(name) ? pidsIn(jobs.get(name)!) : []),
    kill(name) {
      const job = jobs.get(name);
      if (job !== undefined) kernel32.TerminateJobObject(job, endedCode);
    },
    dissolve(name) {
      const job = jobs.get(name);
      if (job !== undefined) kernel32.CloseHandle(job);
      jobs.delete(name);
    },
  };
}
