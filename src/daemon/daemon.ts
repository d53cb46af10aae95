// The daemon's life: start in order, serve, reload, drain, stop.
import path from 'node:path';
import type { Writable } from 'node:stream';
import { type LoadedConfig, loadConfig } from '../config/index.ts';
import { type Context, type Log, systemClock } from '../core/context.ts';
import { ReeveError } from '../core/errors.ts';
import { abortError, sleep } from '../core/time.ts';
import { type Memory, openMemory } from '../health/index.ts';
import { currentOwner, openStateFolder, stateFolder } from '../store/index.ts';
import type { Keeper } from '../supervise/index.ts';
import type { ServiceManager, System } from '../system/index.ts';
import type { Api } from './api.ts';
import { daemonContext } from './context.ts';
import { openControl } from './control.ts';
import { createEventBus, type EventBus } from './events.ts';
import { openHistory } from './history/index.ts';
import type { Recorder } from './history/recorder.ts';
import { type Lock, takeLock } from './lock.ts';
import { maintain, shown } from './maintain.ts';
import { createManagerReports, type ManagerReports } from './manager-reports.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import type { ReloadResult } from './orders.ts';
import { probeNow } from './probe-metrics.ts';
import { type LastReload, lastReload, reload, settleWithin } from './reload.ts';
import { createRooms, type Rooms } from './rooms.ts';
import { createRoster, endOrphans, type Roster } from './roster.ts';
import type { DaemonState, DaemonStatus } from './status.ts';
import { createStep } from './step.ts';

export interface DaemonOptions {
  configFile: string;
  system: System;
  env: NodeJS.ProcessEnv;
  /** For sinks with `stdout: true`. */
  stdout: Writable;
  log: Log;
  version: string;
  /** Ends the services where this process is killed; absent: the next daemon on the state directory does. */
  keeper?: Keeper | undefined;
  /** Is told how the daemon does: what runs this process as a service. */
  manager?: ServiceManager | null;
  /** Milliseconds between failing readiness and accepting no more, for those who look seldom. Default 0. */
  lameDuck?: number;
  /** Milliseconds that open connections get when it stops. Default 30,000. */
  drainDeadline?: number;
}

export interface Daemon {
  /** `host:port` of the control API. */
  readonly address: string;
  /** Resolves once the daemon has stopped, whoever asked for it. */
  readonly stopped: Promise<void>;
  status(): DaemonStatus;
  /** @throws ReeveError where the new configuration cannot be had; nothing has changed then. */
  reload(): Promise<ReloadResult>;
  /** Fails readiness, accepts no more, waits for connections, stops services, delivers what sinks hold. */
  drainAndStop(): Promise<void>;
  /** Ends every process of every service at once, for who will not wait. */
  killServices(): void;
}

/**
 * Resolves when the daemon is ready. Where the start fails, everything that was started is stopped.
 * @throws ReeveError `config`, `conflict`, `privilege`, or `aborted` by the signal.
 */
export async function startDaemon(options: DaemonOptions, signal: AbortSignal): Promise<Daemon> {
  const loaded = await loadConfig(options.configFile, options.env);
  const state = stateFolder(loaded.config.state, loaded.folder, currentOwner(options.env));
  await openStateFolder(state);
  const lock = await takeLock(state, options.system.processes);
  const known = { clock: systemClock, log: options.log };
  const memory = await openMemory(path.join(state, 'health.db'), known);
  const daemon = new RunningDaemon(options, loaded, state, lock, memory);
  try {
    await daemon.start(signal);
    return daemon;
  } catch (error) {
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
  #loaded: LoadedConfig;
  #loadedAt = this.#startedAt;
  #lastReload: LastReload | null = null;
  #recorder: Recorder | null = null;
  #state: DaemonState = 'starting';
  #api: Api | null = null;
  #reloads: Promise<unknown> = Promise.resolve();
  #stopping: Promise<void> | null = null;
  #tellStopped!: () => void;

  constructor(options: DaemonOptions, loaded: LoadedConfig, stateFolder: string, lock: Lock, memory: Memory) {
    this.#options = options;
    this.#stateFolder = stateFolder;
    this.#loaded = loaded;
    this.#lock = lock;
    this.#memory = memory;
    this.#events = createEventBus(systemClock);
    this.#metrics = createMetrics(options.version);
    this.#context = daemonContext(options.log, this.#events, this.#metrics);
    this.#rooms = createRooms({
      ...options,
      context: this.#context,
      metrics: this.#metrics,
      folder: loaded.folder,
      stateFolder,
      memory,
      config: loaded.config,
    });
    const { services } = this.#rooms;
    this.#roster = createRoster(
      stateFolder,
      options.system.processes,
      () => services.status().flatMap(({ instances }) => instances),
      options.log,
    );
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
    const { config, folder } = this.#loaded;
    const { sinks, handlers, listeners, services, checks, registry } = this.#rooms;
    const signal = AbortSignal.any([outside, this.#ending.signal]);
    const { tokenFile } = config.control;
    this.#recorder = await openHistory({
      ...{ system: this.#options.system, log: this.#context.log, clock: systemClock },
      stateFolder: this.#stateFolder,
      status: () => this.status(),
    });
    this.#api = await openControl({
      host: config.control.listen.host,
      port: config.control.listen.port,
      tokenFile: path.resolve(tokenFile === undefined ? this.#stateFolder : folder, tokenFile ?? 'token'),
      log: this.#context.log,
      events: this.#events,
      metrics: this.#metrics,
      recorder: this.#recorder,
      system: this.#options.system,
      status: () => this.status(),
      config: () => ({ ...this.#loaded, loadedAt: this.#loadedAt, lastReload: this.#lastReload }),
      leases: () => this.#rooms.pool.book(),
      reload: () => this.reload(),
      drain: (request) => listeners.drainTarget(request),
      maintain: (request) => maintain(request, this.status(), this.#rooms.maintenance),
      probe: (name, timeout, signal) => probeNow(this.#rooms.scheduler, name, timeout, signal),
      weigh: (request) => listeners.weighTarget(request),
      restart: (request) => services.restart(request),
      scale: (request) => services.scale(request),
      find: (query, stop) => registry.find(query, stop),
      stop: () => void this.drainAndStop(),
    });
    await this.#lock.publish(this.#api.address);
    (await sinks.prepare(config.sinks, folder)).commit();
    (await handlers.prepare(config.listeners, folder)).commit();
    await endOrphans(this.#stateFolder, this.#options.system.processes, this.#context);
    const bound = await listeners.prepare(config.listeners, signal);
    registry.apply(config.services);
    services.apply(config.services);
    checks.apply(config.checks);
    await services.settled(settleWithin, signal);
    if (signal.aborted) {
      await bound.abandon();
      throw abortError(signal);
    }
    bound.commit();
    this.#enter('ready', `ready, control API on ${this.address}`);
  }

  status(): DaemonStatus {
    const { listeners, services, checks, sinks, registry, maintenance, scheduler } = this.#rooms;
    const { gateway } = this.#loaded.config.health;
    return {
      version: this.#options.version,
      pid: process.pid,
      state: this.#state,
      startedAt: this.#startedAt,
      configFile: this.#loaded.file,
      control: this.address,
      listeners: listeners.status(),
      services: services.status(),
      checks: checks.status(),
      sinks: sinks.status(),
      registry: registry.status(),
      maintenance: shown(maintenance),
      gateway: gateway === undefined ? null : { url: gateway, reached: scheduler.gatewayReached },
    };
  }

  /** One after another: each is compared with what the one before has left. */
  reload(): Promise<ReloadResult> {
    if (this.#state === 'starting') {
      return Promise.reject(new ReeveError('conflict', 'cannot reload: the daemon is still starting'));
    }
    const next = this.#reloads.then(async () => {
      if (this.#ending.signal.aborted) throw abortError(this.#ending.signal);
      const before = this.#loaded;
      this.#reports.reloading();
      try {
        const done = await reload(before, this.#rooms, this.#options.env, this.#ending.signal);
        this.#loaded = done.loaded;
        this.#lastReload = lastReload(before, done.loaded, null);
        this.#loadedAt = this.#lastReload.at;
        return done.result;
      } catch (error) {
        this.#lastReload = lastReload(before, null, error);
        throw error;
      } finally {
        this.#reports.reloaded();
      }
    });
    this.#reloads = next.catch(() => {});
    return next;
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
    await this.#reloads;
    if (this.#loaded.config.registry !== 'embedded') await this.#rooms.registry.leave();
    if (lameDuck > 0) await sleep(lameDuck);
    await this.#rooms.listeners.drain(drainDeadline);
    await this.close();
  }

  /** What nobody needs any more first, the control API last, so that it tells how far things are. */
  async close(): Promise<void> {
    const { listeners, services, sinks, scheduler, background, pool, registry, actions, maintenance } =
      this.#rooms;
    const step = createStep(this.#context.log);
    // What goes down from here on is our own doing.
    scheduler.stop();
    await step('closing the listeners', () => listeners.drain(0));
    await step('ending the handlers', () => this.#rooms.handlers.close());
    await step('leaving the registry', () => registry.leave());
    await step('stopping the services', () => services.stop());
    await step('giving back the leases', () => pool.close());
    await step('closing the registry', () => registry.close());
    await step('ending actions', () => actions.close());
    maintenance.close();
    this.#memory.close();
    await step('tidying up', () => background.settled());
    await step('delivering what the sinks hold', () => sinks.close());
    this.#enter('stopped', 'stopped');
    await step('closing the control API', async () => this.#api?.close());
    this.#metrics.close();
    this.#recorder?.close();
    this.#reports.close();
    await step('letting go of the state', () => Promise.all([this.#roster.close(), this.#lock.release()]));
    this.#tellStopped();
  }

  killServices(): void {
    this.#rooms.services.kill();
  }

  #enter(state: DaemonState, message: string): void {
    this.#state = state;
    this.#reports.entered(state);
    this.#context.emit({ kind: 'daemon', subject: 'daemon', message, detail: { state } });
  }
}
