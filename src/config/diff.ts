// What a reload has to do: which named things came, went or changed, and what only a restart can change. Pure.
import { isDeepStrictEqual } from 'node:util';
import type { Config } from './schema.ts';
import type { ServiceConfig } from './services.ts';

/** Names, in the order of the configuration that has them. */
export interface NameChanges {
  added: string[];
  removed: string[];
  changed: string[];
}

export interface ConfigDiff {
  services: NameChanges;
  listeners: NameChanges;
  sinks: NameChanges;
  checks: NameChanges;
  /** The lease pool: it counts for new leases only. */
  ports: boolean;
  /** Sections that changed and that a running daemon cannot take up. */
  restart: RestartSection[];
}

export type RestartSection = (typeof restartSections)[number];

const restartSections = ['control', 'state', 'relay', 'registry', 'health'] as const;

export function diffConfig(before: Config, after: Config): ConfigDiff {
  return {
    services: diffNames(before.services, after.services, sameService),
    listeners: diffNames(before.listeners, after.listeners),
    sinks: diffNames(before.sinks, after.sinks),
    checks: diffNames(before.checks, after.checks),
    ports: !isDeepStrictEqual(before.ports, after.ports),
    restart: restartSections.filter((key) => !isDeepStrictEqual(before[key], after[key])),
  };
}

/** Whether anything differs at all. */
export function isUnchanged({ services, listeners, sinks, checks, ports, restart }: ConfigDiff): boolean {
  const changes = [services, listeners, sinks, checks].flatMap((names) => Object.values(names).flat());
  return changes.length === 0 && !ports && restart.length === 0;
}

function diffNames<T>(
  before: Record<string, T>,
  after: Record<string, T>,
  same: (a: T, b: T) => boolean = isDeepStrictEqual,
): NameChanges {
  const kept = Object.keys(after).filter((name) => Object.hasOwn(before, name));
  return {
    added: Object.keys(after).filter((name) => !Object.hasOwn(before, name)),
    removed: Object.keys(before).filter((name) => !Object.hasOwn(after, name)),
    changed: kept.filter((name) => !same(before[name]!, after[name]!)),
  };
}

/** The order of its ports matters as well: PORT is the first of them. */
function sameService(a: ServiceConfig, b: ServiceConfig): boolean {
  return isDeepStrictEqual(a, b) && isDeepStrictEqual(Object.keys(a.ports), Object.keys(b.ports));
}
