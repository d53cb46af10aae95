// Where a balanced listener may send connections, as it is at this moment: a service's instances, or fixed addresses.
import type { BalanceConfig } from '../config/index.ts';
import { formatHostPort } from '../core/endpoint.ts';
import { alertPolicy, type Check, type Scheduler, targetProbe } from '../health/index.ts';
import type { Target } from '../relay/index.ts';
import type { Service } from '../supervise/index.ts';

/** A target as its source knows it. */
export interface SourcedTarget extends Target {
  /** Whether it runs at all: one that is not there yet, or no more, is no failure. */
  here: boolean;
}

export interface TargetSource {
  /** All of them; or those for a server name, or (null) for everybody else. */
  list(route?: string | null): SourcedTarget[];
  /** Server names with targets of their own; absent where there are none. */
  routes?: string[];
  /** The instance behind a target; null for a fixed one. */
  instanceOf(id: string): string | null;
  close(): void;
}

/** Instances listen on this machine's loopback. */
const instanceHost = '127.0.0.1';

/** Follows the instances in the very turn in which one changes, so that a dead one gets no further connection. */
export function serviceTargets(
  service: Service,
  { port: portName, maxPerTarget }: BalanceConfig,
  changed: () => void,
): TargetSource {
  const portOf = (ports: Readonly<Record<string, number>>) =>
    portName === undefined ? Object.values(ports)[0] : ports[portName];
  const rows = () =>
    service.instances().flatMap(({ name, state, ports }) => {
      const port = portOf(ports);
      return port === undefined ? [] : [{ name, state, port, id: formatHostPort(instanceHost, port) }];
    });
  const leave = service.onChange(changed);
  return {
    list: () =>
      rows().map(({ id, port, state }) => ({
        id,
        host: instanceHost,
        port,
        weight: 1,
        backup: false,
        max: maxPerTarget ?? null,
        verdict: state === 'up' || state === 'stopping' ? 'up' : 'down',
        draining: state === 'stopping',
        here: state === 'up' || state === 'stopping' || state === 'down',
      })),
    instanceOf: (id) => rows().find((row) => row.id === id)?.name ?? null,
    close: leave,
  };
}

/** Without a check nothing is known about them, and they are used. */
export function fixedTargets(
  listener: string,
  { targets = [], check, maxPerTarget }: BalanceConfig,
  scheduler: Scheduler,
  changed: () => void,
): TargetSource {
  const rows = targets.map(({ address, weight, backup, max }) => ({
    id: formatHostPort(address.host, address.port),
    host: address.host,
    port: address.port,
    weight,
    backup,
    max: max ?? maxPerTarget ?? null,
  }));
  const checks = new Map<string, Check>();
  const watch = ({ id, host, port }: { id: string; host: string; port: number }) => {
    if (!check || checks.has(id)) return;
    let seen: string = 'unknown';
    const added = scheduler.add({
      name: `target/${listener}/${id}`,
      ...targetProbe(check, host, port),
      timing: check,
      emits: true,
      initial: check.initial,
      kept: true,
      alerts: alertPolicy(check),
      onResult({ state }) {
        if (state.verdict === seen) return;
        seen = state.verdict;
        changed();
      },
    });
    checks.set(id, added);
  };
  rows.forEach(watch);
  return {
    list: () =>
      rows.map((row) => ({
        ...row,
        verdict: checks.get(row.id)?.state.verdict ?? 'unknown',
        draining: false,
        here: true,
      })),
    instanceOf: () => null,
    close() {
      for (const check of checks.values()) check.stop();
    },
  };
}
