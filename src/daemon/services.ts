// The services that the configuration names, kept in step with it.
import { isDeepStrictEqual } from 'node:util';
import type { Config, ServiceConfig } from '../config/index.ts';
import { type Service, type SuperviseDeps, superviseService } from '../supervise/index.ts';
import type { Background } from './background.ts';
import type { InstanceStatus, ServiceStatus } from './status.ts';

export interface ServiceRoom {
  get(name: string): Service | undefined;
  /** Starts the new and brings the changed up to date, in the background: instances are replaced one by one. */
  apply(configs: Config['services']): void;
  /** Stops what the configuration that was applied last does not name. */
  retire(): Promise<void>;
  /** Resolves when every service has an instance that is up, or one that has failed: then waiting helps nobody. */
  settled(signal: AbortSignal): Promise<void>;
  status(): ServiceStatus[];
  stop(): Promise<void>;
  /** Called when any instance of any service changes. */
  onChange(listener: () => void): void;
  /** Every process group at once, without waiting: for an end that cannot be orderly any more. */
  kill(): void;
}

const failed = new Set(['down', 'backoff', 'crash-looping']);

export function createServiceRoom(deps: SuperviseDeps, background: Background): ServiceRoom {
  const rows = new Map<string, { config: ServiceConfig; service: Service }>();
  let wanted: ReadonlySet<string> = new Set();
  const listeners = new Set<() => void>();
  const tell = () => {
    for (const listener of listeners) listener();
  };
  const isSettled = () =>
    [...rows.values()].every(({ config, service }) => {
      const states = service.instances().map(({ state }) => state);
      return config.instances === 0 || states.includes('up') || states.some((state) => failed.has(state));
    });
  const stopRow = async (name: string) => {
    const row = rows.get(name);
    rows.delete(name);
    await row?.service.stop();
  };
  return {
    get: (name) => rows.get(name)?.service,
    apply(configs) {
      wanted = new Set(Object.keys(configs));
      for (const [name, config] of Object.entries(configs)) {
        const row = rows.get(name);
        if (!row) {
          const service = superviseService(name, config, deps);
          service.onChange(tell);
          rows.set(name, { config, service });
        } else if (!isDeepStrictEqual(row.config, config)) {
          row.config = config;
          background.add(`update of service ${name}`, row.service.update(config));
        }
      }
    },
    async retire() {
      await Promise.all([...rows.keys()].filter((name) => !wanted.has(name)).map(stopRow));
    },
    settled(signal) {
      return new Promise((resolve) => {
        const look = () => {
          if (!isSettled() && !signal.aborted) return;
          for (const leave of leaving) leave();
          signal.removeEventListener('abort', look);
          resolve();
        };
        const leaving = [...rows.values()].map(({ service }) => service.onChange(look));
        signal.addEventListener('abort', look);
        look();
      });
    },
    status: () =>
      [...rows].map(([name, { service }]) => ({ name, instances: service.instances().map(statusOf) })),
    async stop() {
      await Promise.all([...rows.values()].map(({ service }) => service.stop()));
    },
    onChange: (listener) => void listeners.add(listener),
    kill() {
      for (const { service } of rows.values()) {
        for (const { pid } of service.instances()) if (pid !== null) killGroup(pid);
      }
    },
  };
}

function statusOf(is: ReturnType<Service['instances']>[number]): InstanceStatus {
  return {
    id: is.name,
    state: is.state,
    pid: is.pid,
    ports: is.ports,
    restarts: is.restarts,
    startedAt: is.startedAt === null ? null : new Date(is.startedAt).toISOString(),
    detail: is.lastExit,
  };
}

/** A PID that an instance still shows has not been reaped, so it is nobody else's. */
function killGroup(pid: number): void {
  // Windows has no groups: a negative number is nobody there.
  for (const whom of [-pid, pid]) {
    try {
      process.kill(whom, 'SIGKILL');
      return;
    } catch {
      // Gone already, or not a group.
    }
  }
}
