// CPU and memory of the instances that run, asked for every two seconds.
import type { Clock } from '../../core/context.ts';
import type { Processes } from '../../system/index.ts';
import type { DaemonStatus } from '../status.ts';
import type { Usage } from './series.ts';

export interface UsageMeter {
  /** What was measured last, by instance (`api/0`); asks for the next measurement where it is time. */
  read(status: DaemonStatus): ReadonlyMap<string, Usage>;
}

const every = 2000;

interface Seen {
  pid: number;
  at: number;
  cpuSeconds: number;
}

export function createUsageMeter(processes: Processes, clock: Clock): UsageMeter {
  let usage = new Map<string, Usage>();
  let seen = new Map<string, Seen>();
  let asking = false;
  let next = 0;

  async function measure(status: DaemonStatus): Promise<void> {
    const now = new Map<string, Usage>();
    const then = seen;
    seen = new Map();
    for (const { id, pid } of status.services.flatMap(({ instances }) => instances)) {
      const found = pid === null ? null : await processes.usage?.(pid);
      if (!found || pid === null) continue;
      const at = clock.monotonic();
      const before = then.get(id);
      seen.set(id, { pid, at, cpuSeconds: found.cpuSeconds });
      const cpu =
        before?.pid === pid
          ? Math.max(0, found.cpuSeconds - before.cpuSeconds) / ((at - before.at) / 1000)
          : null;
      now.set(id, { cpu: cpu === null ? null : Number(cpu.toFixed(4)), memory: found.residentBytes });
    }
    usage = now;
  }

  return {
    read(status) {
      if (!asking && processes.usage && clock.monotonic() >= next) {
        asking = true;
        next = clock.monotonic() + every;
        void measure(status)
          .catch(() => {})
          .finally(() => {
            asking = false;
          });
      }
      return usage;
    },
  };
}
