// The daemon's working parts, put together: who is handed what.
import path from 'node:path';
import type { Writable } from 'node:stream';
import type { Config } from '../config/index.ts';
import type { Context } from '../core/context.ts';
import { sleep } from '../core/time.ts';
import {
  type Actions,
  createActions,
  createAlerts,
  createMaintenance,
  createScheduler,
  type Maintenance,
  type Memory,
  type Scheduler,
} from '../health/index.ts';
import type { WorkerLoad } from '../relay/index.ts';
import { createSight, createTrees, type Keeper } from '../supervise/index.ts';
import type { System } from '../system/index.ts';
import { type Background, createBackground } from './background.ts';
import { bindTools } from './bind-tools.ts';
import { type CheckRoom, createCheckRoom } from './checks.ts';
import { chooseEngines } from './engines.ts';
import { inheritAll } from './estate.ts';
import { createHandlerRoom, type HandlerRoom } from './handlers.ts';
import { inheritedSockets } from './inherited.ts';
import { createListenerRoom, type ListenerRoom } from './listeners.ts';
import type { Metrics } from './metrics/index.ts';
import { createPool, type Pool } from './pool.ts';
import { consulSettings, createRegistryRoom, type RegistryRoom } from './registry.ts';
import { registryTargets } from './registry-targets.ts';
import { routedTargets } from './routed-targets.ts';
import { createServiceRoom, type ServiceRoom } from './services.ts';
import { createSinkRoom, type SinkRoom } from './sinks.ts';
import type { Company, Inheritance } from './succession/index.ts';
import { fixedTargets, serviceTargets } from './targets.ts';

export interface Rooms {
  context: Context;
  background: Background;
  pool: Pool;
  scheduler: Scheduler;
  sinks: SinkRoom;
  handlers: HandlerRoom;
  services: ServiceRoom;
  listeners: ListenerRoom;
  relayWorkers(): WorkerLoad[];
  checks: CheckRoom;
  registry: RegistryRoom;
  actions: Actions;
  maintenance: Maintenance;
}

export interface RoomsOptions {
  system: System;
  context: Context;
  metrics: Metrics;
  env: NodeJS.ProcessEnv;
  /** The configuration's. */
  folder: string;
  stdout: Writable;
  stateFolder: string;
  /** Ends the services where this process is killed. */
  keeper?: Keeper | undefined;
  /** Whether another daemon has the same files. */
  company: Company;
  inheritance?: Inheritance | null;
  /** What is known of health from before. */
  memory: Memory;
  config: Config;
}

export function createRooms(options: RoomsOptions): Rooms {
  const { system, context, metrics, env, folder, stateFolder, stdout, memory, config } = options;
  const { company, inheritance } = options;
  const background = createBackground(context.emit);
  const maintenance = createMaintenance(context, (entries) => memory.keepMaintained(entries));
  maintenance.restore(memory.maintained());
  const actions = createActions({
    context,
    system,
    env,
    folder,
    restart: (service) => services.restart({ service }),
    deregister: () => registry.update(),
    told: metrics.action,
  });
  const alerts = createAlerts(context, memory, maintenance, actions);
  const scheduler = createScheduler(context, {
    maxInFlight: config.health.concurrency,
    gateway: config.health.gateway,
    shared: { system, exec: { cwd: folder, env } },
    observer: alerts,
  });
  const sinks = createSinkRoom({ stdout, context, stateFolder, company });
  const handlers = createHandlerRoom(context);
  const pool = createPool({
    ...{ system, log: context.log, env, folder: stateFolder, config },
    consul:
      config.ports.leases === 'registry' ? (consulSettings(config.registry, folder) ?? undefined) : undefined,
  });
  const services = createServiceRoom(
    {
      context,
      scheduler,
      folder,
      env,
      ports: pool,
      sight: createSight(system, context.log),
      trees: createTrees(system, options.keeper ?? null, context.log),
      startable: system.startable,
      memoryKills: system.memoryKills,
      encoding: system.outputEncoding?.(),
      logs: path.join(stateFolder, 'logs'),
      isAlone: () => company.isAlone,
      unused: (instance, signal) => unused(() => listeners.openTo(instance), signal),
    },
    background,
  );
  const registry = createRegistryRoom({
    ...{ context, config, folder, stateFolder, isAlone: () => company.isAlone },
    instancesOf: (name) => services.get(name)?.instances() ?? [],
    isOut: (service) => checks.wantsOut(service),
  });
  services.onChange(registry.update);
  const chooseEngine = chooseEngines({
    ...{ context, relay: config.relay, platform: system.platform },
    changed: () => listeners.chooseAgain(),
  });
  const listeners = createListenerRoom({
    chooseEngine,
    tools: bindTools(system, context, inheritedSockets(system.inheritedSockets?.(env) ?? [], context)),
    inherited: inheritance ? inheritAll(inheritance, context) : [],
    metrics,
    background,
    memory,
    sinks,
    handlers,
    folder,
    targetsOf: (name, config, changed) =>
      routedTargets(config, (balance) => {
        if (balance.service === undefined) return fixedTargets(name, balance, scheduler, changed);
        const service = balance.from === 'registry' ? undefined : services.get(balance.service);
        if (!service) return registryTargets(registry.registry, balance, changed, registry.hasLeft);
        return serviceTargets(service, balance, changed);
      }),
  });
  const checks = createCheckRoom({
    ...{ scheduler, alerts, metrics, folder },
    deregister: () => registry.update(),
  });
  return {
    relayWorkers: () => chooseEngine.workers?.() ?? [],
    ...{ context, background, pool, scheduler, sinks, handlers, services, listeners, checks, registry },
    ...{ actions, maintenance },
  };
}

/** Milliseconds. */
const lookEvery = 20;

async function unused(open: () => number, signal: AbortSignal): Promise<void> {
  while (open() > 0 && !signal.aborted) await sleep(lookEvery);
}
