// Tells the service manager how the daemon does, and that it is alive, as long as it and its relay really are.
import type { ServiceManager } from '../system/index.ts';
import type { DaemonState, DaemonStatus } from './status.ts';

export interface ManagerReports {
  entered(state: DaemonState): void;
  /** Between both the daemon counts as reloading. */
  reloading(): unknown;
  reloaded(): unknown;
  /** Another process, a child of this one, is the daemon now: what this one does is no news any more. */
  succeeded(pid: number): void;
  close(): void;
}

export interface ReportSource {
  status(): DaemonStatus;
  /** Whether every listener has somebody who accepts. */
  accepting(): boolean;
}

/** Milliseconds. */
const startingEvery = 10_000;

export function createManagerReports(
  manager: ServiceManager | null,
  { status, accepting }: ReportSource,
): ManagerReports {
  if (!manager) return { entered() {}, reloading() {}, reloaded() {}, succeeded() {}, close() {} };
  let starting: NodeJS.Timeout | undefined = setInterval(() => manager.starting(), startingEvery).unref();
  let ready = false;
  let over = false;
  // The timer runs on the event loop: where that stands still, so does the sign of life.
  const beat =
    manager.watchdog !== null &&
    setInterval(() => {
      if (!over && (!ready || accepting())) manager.alive();
    }, manager.watchdog / 2).unref();
  const begun = () => {
    clearInterval(starting);
    starting = undefined;
  };
  manager.starting();
  return {
    entered(state) {
      if (over) return;
      if (state === 'ready') {
        begun();
        ready = true;
        manager.ready(words(status()));
      } else if (state === 'draining') {
        begun();
        ready = false;
        manager.stopping('draining');
      }
    },
    reloading: () => ready && manager.reloading(),
    // A stop that came meanwhile is the last word.
    reloaded: () => ready && manager.ready(words(status())),
    succeeded(pid) {
      manager.mainProcess(pid);
      over = true;
    },
    close() {
      begun();
      if (beat) clearInterval(beat);
    },
  };
}

function words({ control, listeners, services }: DaemonStatus): string {
  const instances = services.flatMap((service) => service.instances);
  const up = instances.filter(({ state }) => state === 'up').length;
  return `${listeners.length} listeners, ${up} of ${instances.length} instances up, control API on ${control}`;
}
