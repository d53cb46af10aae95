// The daemon's working parts, put together: who is handed what.
import type { Writable } from 'node:stream';
import type { Config } from '../config/index.ts';
import type { Context } from '../core/context.ts';
import { createScheduler, type Scheduler } from '../health/index.ts';
import { choosePort } from '../ports/index.ts';
import { createPortableEngine } from '../relay/index.ts';
import type { System } from '../system/index.ts';
import { type Background, createBackground } from './background.ts';
import { bindTools } from './bind-tools.ts';
import { type CheckRoom, createCheckRoom } from './checks.ts';
import { createListenerRoom, type ListenerRoom } from './listeners.ts';
import type { Metrics } from './metrics.ts';
import { createServiceRoom, type ServiceRoom } from './services.ts';
import { createSinkRoom, type SinkRoom } from './sinks.ts';
import { fixedTargets, serviceTargets } from './targets.ts';

export interface Rooms {
  context: Context;
  background: Background;
  scheduler: Scheduler;
  sinks: SinkRoom;
  services: ServiceRoom;
  listeners: ListenerRoom;
  checks: CheckRoom;
}

export interface RoomsOptions {
  system: System;
  context: Context;
  metrics: Metrics;
  env: NodeJS.ProcessEnv;
  /** The configuration's. */
  folder: string;
  stdout: Writable;
  /** As it is configured at the moment it is asked for. */
  ports(): Config['ports'];
}

export function createRooms({ system, context, metrics, env, folder, stdout, ports }: RoomsOptions): Rooms {
  const background = createBackground(context.emit);
  const scheduler = createScheduler(context);
  const sinks = createSinkRoom(stdout);
  const services = createServiceRoom(
    {
      context,
      scheduler,
      folder,
      env,
      taken: new Set(),
      choosePort: (taken) => choosePort(system, { ...ports(), taken }),
    },
    background,
  );
  const listeners = createListenerRoom({
    engine: createPortableEngine(context),
    tools: bindTools(system, context),
    metrics,
    background,
    sinks,
    targetsOf(name, { balance }, changed) {
      if (!balance) return null;
      if (balance.service === undefined) return fixedTargets(name, balance, scheduler, changed);
      return serviceTargets(services.get(balance.service)!, balance.port, changed);
    },
  });
  const checks = createCheckRoom(scheduler, metrics);
  return { context, background, scheduler, sinks, services, listeners, checks };
}
