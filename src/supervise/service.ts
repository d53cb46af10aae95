// A service: so many instances of one command, changed one at a time so that the others go on serving.
import type { ServiceConfig } from '../config/index.ts';
import { isReeveError, ReeveError } from '../core/errors.ts';
import { Instance } from './instance.ts';
import { type RestartReason, restartReasons } from './restarts.ts';
import type { InstanceStatus, SuperviseDeps } from './status.ts';

/** A replacement that is not up by then does not get to take the place of the next one. */
const readyWithin = 30_000;
/** So many failed starts in a row, and waiting for it helps nobody. */
const mostFailures = 3;

export interface Service {
  readonly name: string;
  instances(): InstanceStatus[];
  /** Since the service began, also of instances that are gone by now. */
  restarts(): Readonly<Record<RestartReason, number>>;
  /** Called in the very turn in which an instance changes. Returns how to stop listening. */
  onChange(listener: () => void): () => void;
  /**
   * Instances are replaced one after another, and only where something changed that a running process cannot take up.
   * @throws ReeveError `timeout` when a replacement does not come up: the rest goes on as it was.
   */
  update(config: ServiceConfig): Promise<void>;
  /**
   * One after another, each only when the one before is up again.
   * @throws ReeveError `not-found` where there is no such instance, `timeout` when one does not come up.
   */
  restart(index?: number): Promise<void>;
  /** Resolves once those from this index on are up. @throws ReeveError `timeout` that says which one is not, and why. */
  up(from: number): Promise<void>;
  /** All at once; resolves when every process is gone. */
  stop(): Promise<void>;
}

export function superviseService(name: string, config: ServiceConfig, deps: SuperviseDeps): Service {
  const listeners = new Set<() => void>();
  const stopped = new AbortController();
  const restarts = Object.fromEntries(restartReasons.map((reason) => [reason, 0])) as Record<
    RestartReason,
    number
  >;
  let instances: Instance[] = [];
  const changed = () => {
    for (const listener of [...listeners]) listener();
  };
  /** Updates and restarts, one after another. */
  let work: Promise<unknown>;
  /** Aborted by a newer configuration: nobody waits for what the one before has started. */
  let outdatedBy = new AbortController();
  const inTurn = (task: () => Promise<void>): Promise<void> => {
    const result = work.then(() => (stopped.signal.aborted ? undefined : task()));
    work = result.catch(() => {});
    return result;
  };
  const resize = async (wanted: ServiceConfig) => {
    const surplus = instances.filter(({ index }) => index >= wanted.instances);
    instances = instances.filter(({ index }) => index < wanted.instances);
    for (let index = instances.length; index < wanted.instances; index++) {
      const instance = new Instance(name, index, wanted, deps, {
        changed,
        restarts: (reason) => {
          restarts[reason] += 1;
        },
      });
      instances.push(instance);
      instance.start();
    }
    await Promise.all(surplus.map((instance) => instance.stop()));
    changed();
  };
  const untilUp = (instance: Instance, signal = stopped.signal): Promise<void> =>
    new Promise((resolve, reject) => {
      const { restarts: before } = instance.status();
      const finish = (act: () => void) => {
        clearTimeout(timer);
        listeners.delete(look);
        signal.removeEventListener('abort', look);
        act();
      };
      const fail = () => {
        const { state, reason, lastExit } = instance.status();
        const why = reason ?? lastExit;
        const words = `${instance.name} did not come up: it is ${state}${why ? ` (${why})` : ''}`;
        finish(() => reject(new ReeveError('timeout', words)));
      };
      const look = () => {
        const { state, waitsFor, restarts, nextStartAt } = instance.status();
        const settled = ['up', 'finished', 'stopped'].includes(state) || waitsFor === 'dependency';
        const isVain = state === 'backoff' && nextStartAt !== null && restarts - before >= mostFailures;
        if (settled || signal.aborted) finish(resolve);
        else if (isVain || state === 'crash-looping' || state === 'waiting') fail();
      };
      const timer = setTimeout(fail, readyWithin);
      listeners.add(look);
      signal.addEventListener('abort', look);
      look();
    });
  const roll = async (chosen: Instance[], signal: AbortSignal, wanted?: ServiceConfig) => {
    for (const [at, instance] of chosen.entries()) {
      if (signal.aborted) return;
      await instance.restart(wanted ? 'configuration' : 'asked-for', wanted);
      await untilUp(instance, signal).catch((error) => {
        throw at + 1 < chosen.length ? leftAsTheyWere(error) : error;
      });
    }
  };

  work = resize(config);
  return {
    name,
    instances: () => instances.map((instance) => instance.status()),
    restarts: () => ({ ...restarts }),
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    update(wanted) {
      outdatedBy.abort();
      outdatedBy = new AbortController();
      const signal = AbortSignal.any([stopped.signal, outdatedBy.signal]);
      return inTurn(async () => {
        await resize(wanted);
        const outdated = instances.filter((instance) => needsRestart(instance.config, wanted));
        for (const instance of instances) if (!outdated.includes(instance)) instance.adjust(wanted);
        await roll(outdated, signal, wanted);
      });
    },
    restart: (index) =>
      inTurn(async () => {
        const chosen = index === undefined ? instances : instances.filter((one) => one.index === index);
        if (index !== undefined && chosen.length === 0) {
          throw new ReeveError(
            'not-found',
            `'${name}/${index}' is not an instance: there are ${instances.length}`,
          );
        }
        await roll(chosen, stopped.signal);
      }),
    async up(from) {
      const some = instances.filter(({ index }) => index >= from);
      await Promise.all(some.map((instance) => untilUp(instance)));
    },
    async stop() {
      stopped.abort();
      await Promise.all(instances.map((instance) => instance.stop()));
      await work;
    },
  };
}

function leftAsTheyWere(error: unknown): unknown {
  if (!isReeveError(error)) return error;
  return new ReeveError(error.code, `${error.message}; the other instances were left as they were`);
}

function needsRestart(before: ServiceConfig, after: ServiceConfig): boolean {
  const what = ({ command, env, cwd, ports, user, limits, oneshot }: ServiceConfig) =>
    JSON.stringify([command, env, cwd, ports, user, limits, oneshot]);
  return what(before) !== what(after);
}
