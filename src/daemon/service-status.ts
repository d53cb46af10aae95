// What the daemon tells about a service and its instances.
import type { Service } from '../supervise/index.ts';
import type { InstanceStatus, ServiceStatus } from './status.ts';

export function serviceStatus(name: string, configured: number, service: Service): ServiceStatus {
  return {
    name,
    configured,
    restarts: service.restarts(),
    instances: service.instances().map(statusOf),
  };
}

const iso = (time: number | null) => (time === null ? null : new Date(time).toISOString());

function statusOf(is: ReturnType<Service['instances']>[number]): InstanceStatus {
  return {
    id: is.name,
    state: is.state,
    pid: is.pid,
    ports: is.ports,
    restarts: is.restarts,
    startedAt: iso(is.startedAt),
    nextStartAt: iso(is.nextStartAt),
    detail: is.reason ?? (is.pid === null ? is.lastExit : (is.history.at(-1)?.detail ?? null)),
    history: is.history.map(({ at, reason, detail }) => ({ at: iso(at)!, reason, detail })),
  };
}
