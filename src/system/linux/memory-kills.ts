// How often the kernel has ended a process because memory ran out, in the machine or in a control group.
import { readFileSync } from 'node:fs';

/** Linux 4.13 and later; null before, and where /proc is not to be read. */
export function memoryKills(): number | null {
  try {
    const [, count] = /^oom_kill (\d+)$/m.exec(readFileSync('/proc/vmstat', 'latin1')) ?? [];
    return count === undefined ? null : Number(count);
  } catch {
    return null;
  }
}
