// The daemon's life: start in order, serve, reload, drain, stop.
import path from 'node:path';
import { type LoadedConfig, loadConfig } from '../config/index.ts';
import { type Context, systemClock } from '../core/context.ts';
import { formatHostPort } from '../core/endpoint.ts';
import { ReeveError } from '../core/errors.ts';
import { abortError, sleep } from '../core/time.ts';
import { type Memory, openMemory } from '../health/index.ts';
import { currentOwner, openStateFolder, stateFolder } from '../store/index.ts';
import type { Api } from './api.ts';
import { closeRooms } from './closing.ts';
import { daemonContext } from './context.ts';
import type { Daemon, DaemonOptions } from './daemon-options.ts';
import { createEventBus, type EventBus } from './events.ts';
import type { Recorder } from './history/recorder.ts';
import { inheritLock, type Lock, takeLock } from './lock.ts';
import { createManagerReports, type ManagerReports } from './manager-reports.ts';
import { createMetrics, type Metrics } from './metrics/index.ts';
import { openShared } from './opening.ts';
import type { ReloadResult, UpgradeRequest, UpgradeResult } from './orders.ts';
import { type InForce, reloadInForce, settleWithin } from './reload.ts';
import { roomStatus } from './room-orders.ts';
import { createRooms, type Rooms } from './rooms.ts';
import { createRoster, endOrphans, type Roster } from './roster.ts';
import type { DaemonState, DaemonStatus } from './status.ts';
import { createStep, type Step } from './step.ts';
import { succeed } from './succeed.ts';
import { createCompany } from './succession/index.ts';
import { type Tell, takeOver } from './take-over.ts';
import { createTurns } from './turns.ts';

/**
 * Resolves when the daemon is ready. Where the start fails, everything that was started is stopped.
 * @throws ReeveError `config`, `conflict`, `privilege`, or `aborted` by the signal.
 */
export async function startDaemon(options: DaemonOptions, signal: AbortSignal): Promise<Daemon> {
  const loaded = await loadConfig(options.configFile, options.env);
  const state = stateFolder(loaded.config.state, loaded.folder, currentOwner(options.env));
  await openStateFolder(state, options.system.privacy?.makeFolder);
  const isHeir = options.inheritance?.estate.stateFolder === state;
  const lock = await (isHeir ? inheritLock : takeLock)(state, options.system.processes);
  const known = { clock: systemClock, log: options.log };
  const memory = await openMemory(path.join(state, 'health.db'), known);
  const daemon = new RunningDaemon(options, loaded, state, lock, memory);
  try {
    await daemon.start(signal);
    return daemon;
  } catch (error) {
    // It is as it was: this run has asked for next to nothing of it.
    memory.letGo();
    await daemon.close();
    throw signal.aborted ? abortError(signal) : error;
  }
}

class RunningDaemon implements Daemon {
  readonly stopped: Promise<void>;
  readonly #options: DaemonOptions;
  readonly #stateFolder: string;
  readonly #lock: Lock;
  readonly #memory: Memory;
  readonly #events: EventBus;
  readonly #metrics: Metrics;
  readonly #context: Context;
  readonly #rooms: Rooms;
  readonly #roster: Roster;
  readonly #reports: ManagerReports;
  readonly #startedAt = new Date().toISOString();
  /** Aborts what is being started or reloaded when the daemon is to stop. */
  readonly #ending = new AbortController();
  readonly #company = createCompany();
  /** Of reloads and upgrades. */
  readonly #turns = createTurns(() => {
    if (this.#ending.signal.aborted) throw abortError(this.#ending.signal);
    if (this.#ceded) throw new ReeveError('conflict', 'another process has taken over: ask that one');
  });
  readonly #tell: Tell = (message, detail) =>
    this.#context.emit({ kind: 'daemon', subject: 'daemon', message, detail });
  readonly #step: Step;
  /** Another process has taken over; what is open here has so many milliseconds to end. */
  #ceded: { deadline: number } | null = null;
  readonly #inForce: InForce;
  #recorder: Recorder | null = null;
  #state: DaemonState = 'starting';
  #api: Api | null = null;
  #stopping: Promise<void> | null = null;
  #tellStopped!: () => void;

  constructor(options: DaemonOptions, loaded: LoadedConfig, stateFolder: string, lock: Lock, memory: Memory) {
    this.#options = options;
    this.#stateFolder = stateFolder;
    this.#inForce = { loaded, loadedAt: this.#startedAt, lastReload: null };
    this.#lock = lock;
    this.#memory = memory;
    this.#events = createEventBus(systemClock);
    this.#metrics = createMetrics(options.version);
    this.#context = daemonContext(options.log, this.#events, this.#metrics);
    this.#step = createStep(options.log);
    if (options.inheritance) this.#company.joined();
    this.#rooms = createRooms({
      ...options,
      company: this.#company,
      context: this.#context,
      metrics: this.#metrics,
      folder: loaded.folder,
      stateFolder,
      memory,
      config: loaded.config,
    });
    const { services } = this.#rooms;
    this.#roster = createRoster(stateFolder, options.system.processes, services.status, options.log);
    services.onChange(() => this.#roster.update());
    this.#reports = createManagerReports(options.manager ?? null, {
      status: () => this.status(),
      accepting: () => this.#rooms.listeners.accepting(),
    });
    this.stopped = new Promise((resolve) => {
      this.#tellStopped = resolve;
    });
  }

  get address(): string {
    return this.#api?.address ?? '';
  }

  /** Conflicts show before any service runs, and who connects early waits until there is somebody to answer. */
  async start(outside: AbortSignal): Promise<void> {
    const { config, folder } = this.#inForce.loaded;
    const { handlers, listeners, services, checks, registry } = this.#rooms;
    const { inheritance } = this.#options;
    const signal = AbortSignal.any([outside, this.#ending.signal]);
    if (!inheritance) await this.#open();
    (await handlers.prepare(config.listeners, folder)).commit();
    await endOrphans(this.#stateFolder, this.#options.system.processes, this.#context);
    const bound = await listeners.prepare(config.listeners, signal);
    registry.apply(config.services);
    services.apply(config.services);
    try {
      if (inheritance) {
        const shared = { rooms: this.#rooms, memory: this.#memory, company: this.#company };
        await takeOver(inheritance, { ...shared, tell: this.#tell, open: () => this.#open() }, signal);
        checks.apply(config.checks);
      } else {
        checks.apply(config.checks);
        await services.settled(settleWithin, signal);
      }
      if (signal.aborted) throw abortError(signal);
    } catch (error) {
      await bound.abandon();
      throw error;
    }
    bound.commit();
    const instead = inheritance ? ` in place of PID ${inheritance.estate.pid}` : '';
    this.#enter('ready', `ready${instead}, control API on ${this.address}`);
    inheritance?.took(this.address);
  }

  /** What only one daemon of a state directory can have: its history, the control API, the lock, its sinks. */
  async #open(): Promise<void> {
    const { config, folder } = this.#inForce.loaded;
    const { recorder, api } = await openShared({
      options: this.#options,
      inForce: this.#inForce,
      stateFolder: this.#stateFolder,
      context: this.#context,
      events: this.#events,
      metrics: this.#metrics,
      rooms: this.#rooms,
      status: () => this.status(),
      reload: () => this.reload(),
      upgrade: (request) => this.upgrade(request),
      leave: () => this.leave(),
      stop: () => void this.drainAndStop(),
    });
    this.#recorder = recorder;
    this.#api = api;
    await this.#lock.publish(api.address);
    (await this.#rooms.sinks.prepare(config.sinks, folder)).commit();
  }

  status(): DaemonStatus {
    return {
      version: this.#options.version,
      pid: process.pid,
      state: this.#state,
      startedAt: this.#startedAt,
      configFile: this.#inForce.loaded.file,
      control: this.address,
      ...roomStatus(this.#rooms, this.#inForce.loaded.config),
    };
  }

  reload(): Promise<ReloadResult> {
    if (this.#state === 'starting') {
      return Promise.reject(new ReeveError('conflict', 'cannot reload: the daemon is still starting'));
    }
    return this.#turns.take(async () => {
      this.#reports.reloading();
      try {
        return await reloadInForce(this.#inForce, this.#rooms, this.#options.env, this.#ending.signal);
      } finally {
        this.#reports.reloaded();
      }
    });
  }

  upgrade(request: UpgradeRequest): Promise<UpgradeResult> {
    if (this.#state !== 'ready') {
      return Promise.reject(new ReeveError('conflict', `cannot upgrade: the daemon is ${this.#state}`));
    }
    return this.#turns.take(() => this.#succeed(request));
  }

  async #succeed(request: UpgradeRequest): Promise<UpgradeResult> {
    const { again, env, system, version, drainDeadline = 30_000 } = this.#options;
    const { host, port } = this.#inForce.loaded.config.control.listen;
    const result = await succeed(
      {
        ...{ env, system, rooms: this.#rooms, company: this.#company, command: again },
        api: this.#api,
        estate: {
          ...{ pid: process.pid, version, stateFolder: this.#stateFolder },
          control: { asked: formatHostPort(host, port), address: this.address },
        },
        beforeBegin: () => this.#memory.flush(),
        // It may have taken the lock before it failed.
        restore: () => this.#lock.publish(this.address),
        tell: this.#tell,
      },
      { deadlineMs: drainDeadline, ...request },
      this.#ending.signal,
    );
    this.#ceded = { deadline: result.deadlineMs };
    this.#reports.succeeded(result.after.pid);
    return result;
  }

  leave(): void {
    void this.drainAndStop();
  }

  drainAndStop(): Promise<void> {
    this.#stopping ??= this.#drain();
    return this.#stopping;
  }

  async #drain(): Promise<void> {
    const { lameDuck = 0, drainDeadline = 30_000 } = this.#options;
    const starting = this.#state === 'starting';
    this.#enter('draining', 'draining');
    this.#ending.abort();
    // Whoever is starting it learns by the signal, and closes.
    if (starting) return;
    await this.#turns.settled();
    if (this.#ceded) await this.#letGo();
    if (this.#inForce.loaded.config.registry !== 'embedded') await this.#rooms.registry.leave();
    if (lameDuck > 0 && !this.#ceded) await sleep(lameDuck);
    await this.#rooms.listeners.drain(this.#ceded?.deadline ?? drainDeadline);
    await this.close();
  }

  /** What the one that has taken over has now, and what it waits for. */
  async #letGo(): Promise<void> {
    const { checks, services } = this.#rooms;
    this.#memory.letGo();
    this.#recorder?.close();
    checks.apply({});
    await this.#step('closing the control API', async () => this.#api?.close());
    await this.#step('stopping services that cannot run twice', () => services.stopFixed());
  }

  /** The control API last, so that it tells how far things are. */
  async close(): Promise<void> {
    await closeRooms(this.#rooms, this.#memory, this.#step);
    this.#enter('stopped', 'stopped');
    if (!this.#ceded) {
      await this.#step('closing the control API', async () => this.#api?.close());
      this.#recorder?.close();
    }
    this.#metrics.close();
    this.#reports.close();
    await this.#step('letting go of the state', () =>
      Promise.all([this.#roster.close(), this.#lock.release()]),
    );
    this.#tellStopped();
  }

  killServices(): void {
    this.#rooms.services.kill();
  }

  #enter(state: DaemonState, message: string): void {
    this.#state = state;
    this.#reports.entered(state);
    this.#tell(message, { state });
  }
}
