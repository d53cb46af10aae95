// The order among services: whether what one depends on is there, and who stops before whom.
import type { Condition, ServiceConfig } from '../config/index.ts';
import type { InstanceState, InstanceStatus } from '../supervise/index.ts';

type Instances = Pick<InstanceStatus, 'name' | 'state' | 'pid' | 'reason'>[];

/** In words what is missing; null where nothing is. `find`: the instances of a service, null where there is none. */
export function blockedBy(
  { dependsOn }: Pick<ServiceConfig, 'dependsOn'>,
  find: (service: string) => Instances | null,
): string | null {
  for (const [service, condition] of Object.entries(dependsOn)) {
    const instances = find(service) ?? [];
    const missing = instances.find((instance) => !meets[condition](instance));
    if (missing) return `waits for ${service} to be ${condition}: ${inWords(missing)}`;
    if (instances.length === 0) return `waits for ${service} to be ${condition}: it has no instances`;
  }
  return null;
}

/** Why a failed one has failed is what a person wants to know; what one waits for itself is told of that one. */
function inWords({ name, state, reason }: Instances[number]): string {
  return `${name} is ${state}${failed.has(state) && reason ? ` (${reason})` : ''}`;
}

const meets: Record<Condition, (instance: Instances[number]) => boolean> = {
  healthy: ({ state }) => state === 'up',
  started: ({ pid, state }) => pid !== null || state === 'finished',
  finished: ({ state }) => state === 'finished',
};

const failed: ReadonlySet<InstanceState> = new Set(['down', 'backoff', 'crash-looping']);

/**
 * Whether waiting for this instance may still help. `blocked`: what it depends on is missing. `goal`: a oneshot that
 * others wait for is there once it has finished.
 */
export function isComing(
  { state, waitsFor }: Pick<InstanceStatus, 'state' | 'waitsFor'>,
  blocked: boolean,
  goal: 'up' | 'finished',
): boolean {
  if (state === 'waiting') return waitsFor === 'dependency' && !blocked;
  return state !== goal && state !== 'finished' && !failed.has(state);
}

/** Whether any of the services waits for this one to finish. */
export function isAwaited(service: string, all: Iterable<Pick<ServiceConfig, 'dependsOn'>>): boolean {
  return [...all].some(({ dependsOn }) => dependsOn[service] === 'finished');
}

/** Calls `stop` for each once everybody who depends on it has stopped. The configuration has no circles. */
export async function stopInOrder(
  dependsOn: ReadonlyMap<string, readonly string[]>,
  stop: (service: string) => Promise<void>,
): Promise<void> {
  const stopping = new Map<string, Promise<void>>();
  const stopOne = (name: string): Promise<void> => {
    const already = stopping.get(name);
    if (already) return already;
    const dependents = [...dependsOn.keys()].filter((other) => dependsOn.get(other)!.includes(name));
    const done = Promise.all(dependents.map(stopOne)).then(() => stop(name));
    stopping.set(name, done);
    return done;
  };
  await Promise.all([...dependsOn.keys()].map(stopOne));
}
