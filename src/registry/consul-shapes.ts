// What is sent to Consul and what comes from it, as values. What comes is hostile input: names, meta, outputs.
import { printable } from '../core/text.ts';
import type { Announcement, FoundInstance, ServiceSummary, Standing } from './registry.ts';

/** Seconds after which Consul counts an announcement as dead of which nothing was heard. */
export const ttlSeconds = 15;
/** In the meta of what a daemon announces, so that it knows its own after a crash. */
export const ownerKey = 'portreeve-owner';
const portPrefix = 'port-';

const statuses = { pass: 'passing', warn: 'warning', fail: 'critical' } as const;

export const statusOf = (standing: Standing) => statuses[standing];

export interface RegistrationOptions {
  owner: string | null;
  deregisterCriticalAfterMs: number | null;
}

/**
 * `Status` says how it stands at this moment: without it a check begins as critical, and each registering anew
 * would take a healthy service out.
 */
export function registrationOf(
  { id, service, address, port, ports, tags, meta, check }: Announcement,
  standing: Standing,
  { owner, deregisterCriticalAfterMs }: RegistrationOptions,
): Record<string, unknown> {
  const named = Object.entries(ports).map(([name, number]) => [`${portPrefix}${name}`, String(number)]);
  return {
    ...{ ID: id, Name: service, Port: port, Tags: tags, EnableTagOverride: false },
    ...(address === null ? {} : { Address: address }),
    Meta: { ...meta, ...Object.fromEntries(named), ...(owner === null ? {} : { [ownerKey]: owner }) },
    Check: {
      ...{ CheckID: checkIdOf(id), Name: check ? `${service} by Consul` : `${service} by reeve` },
      ...{ Status: statusOf(standing), ...ownCheck(check) },
      ...(deregisterCriticalAfterMs === null
        ? {}
        : { DeregisterCriticalServiceAfter: `${deregisterCriticalAfterMs}ms` }),
    },
  };
}

export const checkIdOf = (id: string) => `service:${id}`;

function ownCheck(check: Announcement['check']): Record<string, unknown> {
  if (!check) return { TTL: `${ttlSeconds}s` };
  const url = new URL(check.url);
  const where = url.protocol === 'tcp:' ? { TCP: url.host } : { HTTP: check.url };
  return { ...where, Interval: `${check.intervalMs}ms`, Timeout: `${check.timeoutMs}ms` };
}

/** A row of /v1/agent/services, as far as it is compared. */
export interface AgentService {
  Service: string;
  Port: number;
  Address: string;
  Tags: string[];
  Meta: Record<string, string>;
}

export function agentServices(body: unknown): Map<string, AgentService> {
  return new Map(
    Object.entries(record(body)).map(([id, each]) => {
      const row = record(each);
      const tags = list(row.Tags).map(String);
      return [
        id,
        {
          ...{ Service: text(row.Service), Port: number(row.Port), Address: text(row.Address), Tags: tags },
          Meta: texts(row.Meta),
        },
      ];
    }),
  );
}

/** Whether Consul has it as it was announced; tags in any order. */
export function isSame(has: AgentService, wanted: Record<string, unknown>): boolean {
  const sorted = (tags: unknown) => JSON.stringify(list(tags).map(String).sort());
  const meta = (value: unknown) => JSON.stringify(Object.entries(texts(value)).sort());
  return (
    has.Service === wanted.Name &&
    has.Port === wanted.Port &&
    has.Address === (wanted.Address ?? '') &&
    sorted(has.Tags) === sorted(wanted.Tags) &&
    meta(has.Meta) === meta(wanted.Meta)
  );
}

/** Rows of /v1/health/service; what has no usable address or port is left out. */
export function foundInstances(body: unknown): FoundInstance[] {
  return list(body).flatMap((each): FoundInstance[] => {
    const { Node, Service, Checks } = record(each);
    const node = record(Node);
    const service = record(Service);
    const host = text(service.Address) || text(node.Address);
    const port = number(service.Port);
    if (!/^[A-Za-z0-9._:%-]{1,253}$/.test(host) || !(port >= 1 && port <= 65_535)) return [];
    const meta = texts(service.Meta);
    return [
      {
        ...{ id: text(service.ID), service: text(service.Service), host, port },
        ports: portsOf(meta),
        tags: list(service.Tags).map((tag) => printable(String(tag))),
        meta,
        ...worst(list(Checks)),
        node: text(node.Node) || null,
        datacenter: text(node.Datacenter) || null,
      },
    ];
  });
}

export function serviceSummaries(body: unknown): ServiceSummary[] {
  return Object.entries(record(body)).map(([service, tags]) => ({
    service: printable(service),
    tags: list(tags)
      .map((tag) => printable(String(tag)))
      .sort(),
  }));
}

function portsOf(meta: Record<string, string>): Record<string, number> {
  const named = Object.entries(meta).filter(([key]) => key.startsWith(portPrefix));
  const numbers = named.map(([key, value]) => [key.slice(portPrefix.length), Number(value)] as const);
  return Object.fromEntries(
    numbers.filter(([, port]) => Number.isInteger(port) && port >= 1 && port <= 65_535),
  );
}

/** Of the node and of the service together, as `passing` counts it. */
function worst(checks: unknown[]): { standing: Standing; reason: string | null } {
  const rows = checks.map(record);
  for (const standing of ['fail', 'warn'] as const) {
    const row = rows.find(({ Status }) => Status === statuses[standing]);
    if (row) return { standing, reason: saying(row) };
  }
  // The service's own check says more than that its node is there.
  const own = rows.find(({ ServiceID }) => text(ServiceID) !== '') ?? rows[0];
  return { standing: 'pass', reason: own ? saying(own) : null };
}

const saying = (check: Record<string, unknown>) =>
  printable(text(check.Output).slice(0, 500)) || printable(text(check.Name)) || null;

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}

const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const number = (value: unknown): number => (typeof value === 'number' ? value : 0);

function texts(value: unknown): Record<string, string> {
  return Object.fromEntries(
    Object.entries(record(value)).map(([key, each]) => [printable(key), printable(String(each))]),
  );
}
