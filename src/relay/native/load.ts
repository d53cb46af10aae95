// What a relay worker costs: its CPU time and memory, as the kernel counts them (proc(5)).
import { readFileSync } from 'node:fs';

export interface WorkerLoad {
  pid: number;
  cpuSeconds: number;
  /** Resident memory. */
  memoryBytes: number;
}

/** The kernel counts for programs in hundredths of a second, whatever its own clock (USER_HZ). */
const ticksPerSecond = 100;

/** Null where it is gone. */
export function loadOf(pid: number): WorkerLoad | null {
  try {
    // The name in parentheses may contain anything; utime and stime are the 12th and 13th word after it.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const words = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const resident = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    if (resident === undefined) return null;
    return {
      pid,
      cpuSeconds: (Number(words[11]) + Number(words[12])) / ticksPerSecond,
      memoryBytes: Number(resident) * 1024,
    };
  } catch {
    return null;
  }
}
