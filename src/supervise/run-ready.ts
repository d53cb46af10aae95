// Looks at the port until the command's tree listens there, and tells what stands in the way meanwhile.
import type { Clock } from '../core/context.ts';
import { errorMessage } from '../core/errors.ts';
import { sleep } from '../core/time.ts';
import type { RunReport } from './run-report.ts';
import type { Listener, PortWatch, Sight } from './run-watch.ts';

/** Many programs listen elsewhere first (a debugger, an admin port): only one that stays there is told. */
const elsewhereFor = 2000;
/** A stranger is believed at the second sight: between two reads of a table a process may have changed parents. */
const sightsOfStranger = 2;

export interface ReadyOptions {
  port: number;
  /** Milliseconds. */
  readyWithin: number;
  clock: Clock;
  report(report: RunReport): void;
  /** Makes the port lead to where the tree listens instead. */
  fix?: ((to: Listener) => Promise<void>) | undefined;
}

/** Resolves at once when the signal aborts. `blind`: what is seen here is not enough to tell. */
export async function untilReady(
  watch: PortWatch,
  options: ReadyOptions,
  signal: AbortSignal,
): Promise<'ready' | 'stranger' | 'blind' | 'aborted'> {
  const { port, readyWithin, clock, report } = options;
  const began = clock.monotonic();
  const told = new Set<string>();
  const once = (said: RunReport) => {
    if (!told.has(said.kind)) report(said);
    told.add(said.kind);
  };
  let strangerSights = 0;
  let elsewhereSince: number | null = null;
  try {
    for (;;) {
      const sight: Sight = await watch.look();
      if (signal.aborted) return 'aborted';
      const ms = Math.round(clock.monotonic() - began);
      if (sight.kind === 'ready') {
        report({ kind: 'ready', listeners: sight.listeners, ms });
        if (sight.strangers.length > 0) report({ kind: 'shared', port, strangers: sight.strangers });
        return 'ready';
      }
      strangerSights = sight.kind === 'stranger' ? strangerSights + 1 : 0;
      if (sight.kind === 'stranger' && strangerSights >= sightsOfStranger) {
        report({ kind: 'stranger', port, strangers: sight.strangers });
        return 'stranger';
      }
      if (sight.kind !== 'elsewhere') elsewhereSince = null;
      else {
        elsewhereSince ??= ms;
        const [to] = sight.listeners.sort((a, b) => a.port - b.port);
        if (ms - elsewhereSince >= elsewhereFor) {
          if (options.fix && to) {
            await options.fix(to);
            report({ kind: 'relayed', port, to, ms });
            return 'ready';
          }
          once({ kind: 'elsewhere', port, listeners: sight.listeners });
        }
      }
      // Where it listens instead is told by itself.
      if (ms >= readyWithin && sight.kind !== 'elsewhere') once({ kind: 'late', port, ms, sight });
      await sleep(pause(ms), signal);
    }
  } catch (error) {
    if (signal.aborted) return 'aborted';
    report({ kind: 'blind', reason: errorMessage(error) });
    return 'blind';
  }
}

/** Quick at first, since most programs listen within a second. */
function pause(ms: number): number {
  return ms < 2000 ? 50 : ms < 10_000 ? 200 : 1000;
}
