// Services announced in the registry that the configuration names, each instance as it stands at every moment.
import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import path from 'node:path';
import type { Config, RegisterConfig, ServiceConfig } from '../config/index.ts';
import type { Context } from '../core/context.ts';
import {
  type Announced,
  type Announcement,
  createConsulRegistry,
  createEmbeddedRegistry,
  type Query,
  type Registry,
  type RegistryStatus,
} from '../registry/index.ts';
import type { ConsulSettings } from '../store/index.ts';
import type { Service } from '../supervise/index.ts';
import type { RegistrySummary } from './status.ts';

type Instance = ReturnType<Service['instances']>[number];

export interface RegistryRoom {
  readonly registry: Registry;
  /** Which services are announced, and as what, from now on. */
  apply(services: Config['services']): void;
  /** Looks at all instances again. */
  update(): void;
  /** Takes everything out, and announces nothing any more: clients elsewhere turn away before anything ends. */
  leave(): Promise<void>;
  hasLeft(): boolean;
  find(query: Query | null, signal: AbortSignal): Promise<unknown>;
  status(): RegistrySummary;
  close(): Promise<void>;
}

export interface RegistryRoomOptions {
  context: Context;
  config: Pick<Config, 'registry'>;
  /** What relative paths begin at. */
  folder: string;
  /** Whether no other daemon of the same state folder announces. */
  isAlone(): boolean;
  /** Tells this daemon's announcements from those of another one. */
  stateFolder: string;
  instancesOf(service: string): Instance[];
  /** Whether a check that is down wants it out. */
  isOut(service: string): boolean;
}

interface Row {
  service: string;
  wanted: Announcement;
  announced: Announced;
}

export function createRegistryRoom(options: RegistryRoomOptions): RegistryRoom {
  const { context, config, folder, stateFolder, instancesOf, isAlone, isOut } = options;
  const settings = consulSettings(config.registry, folder);
  const owner = createHash('sha256').update(`${hostname()}\n${stateFolder}`).digest('hex').slice(0, 32);
  const registry = settings
    ? createConsulRegistry({ ...settings, owner, isAlone }, context)
    : createEmbeddedRegistry(context);
  let services: Config['services'] = {};
  const rows = new Map<string, Row>();
  let left = false;

  const drop = (name: string) => {
    const row = rows.get(name);
    rows.delete(name);
    return row?.announced.withdraw();
  };
  const bring = (service: string, config: ServiceConfig, instance: Instance) => {
    const { name, state } = instance;
    const row = rows.get(name);
    if (state === 'finished' || state === 'stopped') return void drop(name);
    // What has never been up is nothing to tell of.
    if (!row && state !== 'up') return;
    if (state !== 'up') return row!.announced.report(...standingOf(instance));
    const wanted = announcementOf(service, config, instance);
    if (!row || JSON.stringify(row.wanted) !== JSON.stringify(wanted)) {
      const announced = registry.announce(wanted);
      if (row && row.wanted.id !== wanted.id) void row.announced.withdraw();
      rows.set(name, { service, wanted, announced });
    }
    rows.get(name)!.announced.report(...standingOf(instance));
  };
  const update = () => {
    if (left) return;
    const present = new Set<string>();
    for (const [name, config] of Object.entries(services)) {
      // In the daemon's own registry each service is found; elsewhere only what is to be.
      if (config.oneshot || (settings && !config.register) || isOut(name)) continue;
      for (const instance of instancesOf(name)) {
        present.add(instance.name);
        if (Object.keys(instance.ports).length > 0) bring(name, config, instance);
      }
    }
    for (const name of [...rows.keys()]) if (!present.has(name)) void drop(name);
  };
  return {
    registry,
    apply(configs) {
      services = configs;
      update();
    },
    update,
    async leave() {
      if (left) return;
      left = true;
      await Promise.all([...rows.keys()].map(drop));
    },
    hasLeft: () => left,
    async find(query, signal) {
      if (!query) return { services: await registry.services(signal) };
      return { service: query.service, instances: await registry.find(query, signal) };
    },
    status: () => summaryOf(registry.status()),
    close: () => registry.close(),
  };
}

/** Null for embedded. Files are relative to the configuration's folder. */
export function consulSettings(
  registry: Config['registry'],
  folder: string,
): (ConsulSettings & { deregisterCriticalAfterMs: number | null; prefix: string }) | null {
  if (registry === 'embedded') return null;
  const { tokenFile, ca, cert, key, deregisterCriticalAfter, ...rest } = registry.consul;
  const at = (file: string | undefined) => (file === undefined ? undefined : path.resolve(folder, file));
  return {
    ...{ ...rest, tokenFile: at(tokenFile), ca: at(ca), cert: at(cert), key: at(key) },
    deregisterCriticalAfterMs: deregisterCriticalAfter ?? null,
  };
}

function standingOf({ state, reason, lastExit, verdict }: Instance): Parameters<Announced['report']> {
  if (state === 'up') return ['pass', verdict === 'up' ? 'up' : `up; its check: ${verdict}`];
  // No alarm, but nothing to begin with it either.
  if (state === 'stopping') return ['warn', 'it is being stopped'];
  return ['fail', `${state}${(reason ?? lastExit) ? `: ${reason ?? lastExit}` : ''}`];
}

function announcementOf(service: string, config: ServiceConfig, { ports }: Instance): Announcement {
  const register: Partial<RegisterConfig> = config.register ?? {};
  const { tags = [], meta = {}, address = null, name = service, consulChecks = false } = register;
  const port = (register.port === undefined ? undefined : ports[register.port]) ?? Object.values(ports)[0]!;
  return {
    ...{ service: name, port, ports, tags, meta, address },
    // A port belongs to one instance of a machine, and two daemons on it have no two alike.
    id: `${name}-${hostname().replace(/[^A-Za-z0-9.-]/g, '-')}-${port}`,
    check: consulChecks ? ownCheck(config.check, ports, port) : null,
  };
}

/** The agent probes what it can reach: instances listen on this machine's loopback. */
function ownCheck(check: ServiceConfig['check'], ports: Readonly<Record<string, number>>, main: number) {
  const port = (check.port === undefined ? undefined : ports[check.port]) ?? main;
  const url = check.http === undefined ? `tcp://127.0.0.1:${port}` : `http://127.0.0.1:${port}${check.http}`;
  return { url, intervalMs: Math.max(1000, check.interval), timeoutMs: check.timeout };
}

function summaryOf({ since, watches, ...status }: RegistryStatus): RegistrySummary {
  const iso = (at: number) => new Date(at).toISOString();
  return {
    ...status,
    since: iso(since),
    watches: watches.map(({ asOf, ...rest }) => ({ ...rest, asOf: asOf === null ? null : iso(asOf) })),
  };
}
