// The services that the configuration names, kept in step with it.
import { isDeepStrictEqual } from 'node:util';
import type { Config, ServiceConfig } from '../config/index.ts';
import { ReeveError } from '../core/errors.ts';
import { type Service, type SuperviseDeps, superviseService } from '../supervise/index.ts';
import type { Background } from './background.ts';
import { blockedBy, isAwaited, isComing, stopInOrder } from './dependencies.ts';
import type { RestartRequest, RestartResult, ScaleRequest, ScaleResult } from './orders.ts';
import { serviceStatus } from './service-status.ts';
import type { ServiceStatus } from './status.ts';

export interface ServiceRoom {
  get(name: string): Service | undefined;
  /** Starts the new and brings the changed up to date, in the background: instances are replaced one by one. */
  apply(configs: Config['services']): void;
  /** Stops what the configuration that was applied last does not name. */
  retire(): Promise<void>;
  /**
   * Resolves when every instance is up, or has failed or waits in vain: then waiting helps nobody. At the latest
   * after `ms`.
   */
  settled(ms: number, signal: AbortSignal): Promise<void>;
  /**
   * Resolves when every one of these services has an instance that is up, or waits for what only others can give:
   * a port, a dependency. @throws ReeveError `timeout` that says why one is not.
   */
  untilUp(names: readonly string[], ms: number, signal: AbortSignal): Promise<void>;
  /** Stops those that cannot run twice on one machine: they have ports of their own. */
  stopFixed(): Promise<void>;
  /** One instance after the other. @throws ReeveError `not-found`, or `timeout` when one does not come up. */
  restart(request: RestartRequest): Promise<RestartResult>;
  /**
   * Lasts until the configuration says another number, or the daemon ends.
   * @throws ReeveError `timeout` when an instance does not come up; the number stays.
   */
  scale(request: ScaleRequest): Promise<ScaleResult>;
  status(): ServiceStatus[];
  stop(): Promise<void>;
  /** Called when any instance of any service changes. */
  onChange(listener: () => void): void;
  /** Every process group at once, without waiting: for an end that cannot be orderly any more. */
  kill(): void;
}

interface Row {
  /** The file's. */
  config: ServiceConfig;
  /** In place of the file's number of instances; null: as the file says. */
  scaledTo: number | null;
  service: Service;
}

export function createServiceRoom(deps: Omit<SuperviseDeps, 'gate'>, background: Background): ServiceRoom {
  const rows = new Map<string, Row>();
  let wanted: ReadonlySet<string> = new Set();
  const listeners = new Set<() => void>();
  const tell = () => {
    for (const listener of [...listeners]) listener();
  };
  const blocked = (config: ServiceConfig) =>
    blockedBy(config, (name) => rows.get(name)?.service.instances() ?? null);
  const gate: SuperviseDeps['gate'] = {
    blockedBy: blocked,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const isSettled = () => {
    const configs = [...rows.values()].map(({ config }) => config);
    return [...rows].every(([name, { config, service }]) => {
      const goal = isAwaited(name, configs) ? 'finished' : 'up';
      const isBlocked = blocked(config) !== null;
      return !service.instances().some((instance) => isComing(instance, isBlocked, goal));
    });
  };
  const oneChange = (signal: AbortSignal) =>
    new Promise<void>((resolve) => {
      const done = () => {
        listeners.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      listeners.add(done);
      signal.addEventListener('abort', done);
    });
  const effective = ({ config, scaledTo }: Pick<Row, 'config' | 'scaledTo'>): ServiceConfig =>
    scaledTo === null ? config : { ...config, instances: scaledTo };
  const find = (name: string): Row => {
    const row = rows.get(name);
    if (row) return row;
    const known = [...rows.keys()].join(', ') || 'none';
    throw new ReeveError('not-found', `there is no service '${name}': there are ${known}`);
  };
  const stopAll = async (some: ReadonlyMap<string, Row>) => {
    const order = new Map([...some].map(([name, { config }]) => [name, Object.keys(config.dependsOn)]));
    await stopInOrder(order, (name) => some.get(name)!.service.stop());
  };
  return {
    get: (name) => rows.get(name)?.service,
    apply(configs) {
      wanted = new Set(Object.keys(configs));
      for (const [name, config] of Object.entries(configs)) {
        const row = rows.get(name);
        if (!row) {
          const service = superviseService(name, config, { ...deps, gate });
          service.onChange(tell);
          rows.set(name, { config, scaledTo: null, service });
        } else if (!isDeepStrictEqual(row.config, config)) {
          if (config.instances !== row.config.instances) row.scaledTo = null;
          row.config = config;
          background.add(`update of service ${name}`, row.service.update(effective(row)));
        }
      }
      // Whoever waits for one that has just come into being looks again.
      tell();
    },
    async retire() {
      const gone = new Map([...rows].filter(([name]) => !wanted.has(name)));
      // At once: one of the same name may come back while they stop.
      for (const name of gone.keys()) rows.delete(name);
      await stopAll(gone);
    },
    settled(ms, signal) {
      return new Promise((resolve) => {
        const done = () => {
          clearTimeout(timer);
          listeners.delete(look);
          signal.removeEventListener('abort', done);
          resolve();
        };
        const look = () => {
          if (isSettled() || signal.aborted) done();
        };
        const timer = setTimeout(done, ms);
        listeners.add(look);
        signal.addEventListener('abort', done);
        look();
      });
    },
    async untilUp(names, ms, signal) {
      const late = AbortSignal.timeout(ms);
      for (;;) {
        const missing = names.flatMap((name) => rows.get(name)?.service ?? []).find((one) => !isUp(one));
        if (!missing) return;
        signal.throwIfAborted();
        if (late.aborted) throw notUp(missing);
        await oneChange(AbortSignal.any([signal, late]));
      }
    },
    async stopFixed() {
      const fixed = new Map([...rows].filter(([, { config }]) => hasFixedPort(config)));
      await stopAll(fixed);
      for (const name of fixed.keys()) rows.delete(name);
    },
    async restart({ service: name, instance }) {
      const { service } = find(name);
      await service.restart(instance);
      const all = service.instances().filter(({ index }) => instance === undefined || index === instance);
      return { restarted: all.map((one) => one.name) };
    },
    async scale({ service: name, instances }) {
      const row = find(name);
      const [fixed] = Object.entries(row.config.ports).filter(([, port]) => port !== 'auto');
      if (instances > 1 && fixed) {
        throw new ReeveError(
          'usage',
          `${instances} instances of '${name}' cannot share port ${fixed[1]} (${fixed[0]})`,
          { hint: 'Write auto for it in the configuration' },
        );
      }
      const before = effective(row).instances;
      row.scaledTo = instances === row.config.instances ? null : instances;
      await row.service.update(effective(row));
      await row.service.up(before);
      return { service: name, before, instances, configured: row.config.instances };
    },
    status: () =>
      [...rows].map(([name, { config, service }]) => serviceStatus(name, config.instances, service)),
    stop: () => stopAll(new Map(rows)),
    onChange: (listener) => void listeners.add(listener),
    kill() {
      for (const { service } of rows.values()) {
        for (const { pid } of service.instances()) if (pid !== null) killGroup(pid);
      }
    },
  };
}

function isUp(service: Service): boolean {
  const instances = service.instances();
  return (
    instances.length === 0 || instances.some(({ state, waitsFor }) => state === 'up' || waitsFor !== null)
  );
}

function notUp(service: Service): ReeveError {
  const { name, state, reason, lastExit } = service.instances()[0]!;
  const why = reason ?? lastExit;
  return new ReeveError('timeout', `${name} did not come up: it is ${state}${why ? ` (${why})` : ''}`);
}

function hasFixedPort({ ports }: ServiceConfig): boolean {
  return Object.values(ports).some((port) => port !== 'auto');
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
