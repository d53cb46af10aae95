// What the rooms can be told and asked, as the control API has it.
import type { Config } from '../config/index.ts';
import type { ApiParts } from './api-parts.ts';
import { maintain, shown } from './maintain.ts';
import { probeNow } from './probe-metrics.ts';
import type { Rooms } from './rooms.ts';
import type { DaemonStatus } from './status.ts';

type RoomOrders = Pick<
  ApiParts,
  'leases' | 'drain' | 'maintain' | 'probe' | 'weigh' | 'restart' | 'scale' | 'find'
>;

export function roomOrders(rooms: Rooms, status: ApiParts['status']): RoomOrders {
  const { listeners, services, registry, pool, scheduler, maintenance } = rooms;
  return {
    leases: () => pool.book(),
    drain: (request) => listeners.drainTarget(request),
    maintain: (request) => maintain(request, status(), maintenance),
    probe: (name, timeout, signal) => probeNow(scheduler, name, timeout, signal),
    weigh: (request) => listeners.weighTarget(request),
    restart: (request) => services.restart(request),
    scale: (request) => services.scale(request),
    find: (query, stop) => registry.find(query, stop),
  };
}

type RoomStatus = Pick<
  DaemonStatus,
  'listeners' | 'relayWorkers' | 'services' | 'checks' | 'sinks' | 'registry' | 'maintenance' | 'gateway'
>;

export function roomStatus(rooms: Rooms, { health: { gateway } }: Pick<Config, 'health'>): RoomStatus {
  return {
    listeners: rooms.listeners.status(),
    relayWorkers: rooms.relayWorkers(),
    services: rooms.services.status(),
    checks: rooms.checks.status(),
    sinks: rooms.sinks.status(),
    registry: rooms.registry.status(),
    maintenance: shown(rooms.maintenance),
    gateway: gateway === undefined ? null : { url: gateway, reached: rooms.scheduler.gatewayReached },
  };
}
