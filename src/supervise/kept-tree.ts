// The trees of the daemon's instances: told to the keeper while they live, and ended as a whole.
import type { Log } from '../core/context.ts';
import { errorMessage } from '../core/errors.ts';
import type { ProcessIdentity, System } from '../system/index.ts';
import { endMarked } from '../system/index.ts';
import type { Keeper } from './keeper-link.ts';

/** Makes a tree for each start. */
export interface Trees {
  /** Before the start: `mark` goes into its environment. `timeout`: milliseconds from SIGTERM to SIGKILL. */
  plant(mark: string, timeout: number): KeptTree;
}

export interface KeptTree {
  /** Starts what belongs to it. */
  start<Child extends { readonly pid: number | null }>(start: () => Child): Child;
  /** Asks this one to end by the system's own means; where there are none, a timeout does the rest. Never rejects. */
  ask(pid: number): Promise<void>;
  /** Ends whoever has left the process group and lives. Idempotent; resolves when they are gone, never rejects. */
  end(): Promise<void>;
}

/** Without a keeper, trees are only ended by this process. */
export function createTrees(system: System, keeper: Keeper | null, log: Log): Trees {
  system.containment.endWithThis();
  const ask = async (pid: number) => {
    try {
      const identity = await system.processes.identify(pid);
      if (identity) await system.processes.signal(identity, 'SIGTERM');
    } catch (error) {
      log.warn({ pid, error: errorMessage(error) }, 'an instance could not be asked to end');
    }
  };
  // The process group, which child.ts ends, is all that can be found there.
  if (!system.containment.abilities.findsMarked) {
    return { plant: () => ({ start: (start) => start(), ask, async end() {} }) };
  }
  return {
    plant(mark, timeout) {
      const known: ProcessIdentity[] = [];
      let ending: Promise<void> | null = null;
      const end = async () => {
        try {
          const left = await endMarked(system, { mark, known, timeout });
          const pids = left.map(({ pid }) => pid);
          if (pids.length > 0) log.error({ pids }, 'processes of an instance could not be ended');
          keeper?.forget(mark);
        } catch (error) {
          log.error({ error: errorMessage(error) }, 'cannot tell whether an instance has left processes');
        }
      };
      keeper?.keep(mark, known, timeout);
      return {
        start(start) {
          const child = system.containment.enclose(mark, start);
          if (child.pid !== null) {
            void system.processes.identify(child.pid).then((identity) => {
              if (!identity || ending) return;
              known.push(identity);
              keeper?.keep(mark, known, timeout);
            });
          }
          return child;
        },
        ask,
        end() {
          ending ??= end();
          return ending;
        },
      };
    },
  };
}
