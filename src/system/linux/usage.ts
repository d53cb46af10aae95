// What a process and all that it started use, from /proc/PID/stat.
import { readFileSync } from 'node:fs';
import { libc } from '../../ffi/index.ts';
import type { ProcessUsage } from '../system.ts';
import { isProcessId } from './pids.ts';
import { parseUsage } from './proc.ts';

const SC_CLK_TCK = 2;
const SC_PAGESIZE = 30;
/** A tree with more is told in part, rather than read for long. */
const maxProcesses = 256;

/** Null where there is no such process. */
export function usageOfTree(pid: number): ProcessUsage | null {
  const found = [pid];
  const usage = { cpuSeconds: 0, residentBytes: 0 };
  let known = false;
  for (let i = 0; i < found.length && i < maxProcesses; i++) {
    const one = isProcessId(found[i]!) ? parseUsage(read(`/proc/${found[i]}/stat`)) : null;
    if (!one) continue;
    known = true;
    usage.cpuSeconds += one.ticks / libc.sysconf(SC_CLK_TCK);
    usage.residentBytes += one.pages * libc.sysconf(SC_PAGESIZE);
    // Only what its first thread started (CONFIG_PROC_CHILDREN): scanning all of /proc would cost too much here.
    found.push(...read(`/proc/${found[i]}/task/${found[i]}/children`).split(' ').filter(Boolean).map(Number));
  }
  return known ? usage : null;
}

function read(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}
