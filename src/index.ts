// The library: the command line's verbs as functions, on the system that they run on.

import { silentLog, systemClock } from './core/context.ts';
import { leaseTimes } from './core/lease.ts';
import type { FreeResult, ScanRecord, WhoRecord, WhyRecord } from './core/records.ts';
import {
  type Announcement,
  type AnnounceOptions,
  announceService,
  type Control,
  type ControlOptions,
  connectControl,
} from './daemon/index.ts';
import { createDialer, type Dialer, type DialOptions } from './dial/index.ts';
import { type ProbeOptions, type ProbeResult, probe } from './health/index.ts';
import {
  holdLease,
  type LeaseOptions,
  openLeaseBook,
  projectName,
  readLeaseOptions,
} from './leases/index.ts';
import {
  carryOut,
  type FreeOptions,
  parsePorts,
  parsePortTarget,
  parseTarget,
  planned,
  prepareFree,
  type ScanOptions,
  scan as scanWith,
  type WhoOptions,
  type WhyOptions,
  who as whoWith,
  why as whyWith,
} from './ports/index.ts';
import { type Found, type FoundInstance, openRegistry } from './registry/index.ts';
import { selectSystem } from './system/select.ts';

export { isReeveError, ReeveError } from './core/errors.ts';
export type * from './core/records.ts';
export type {
  Announcement,
  AnnounceOptions,
  ConfigAnswer,
  Control,
  DaemonStatus,
  HealthReport,
  HistoryAnswer,
  RecordedEvent,
} from './daemon/index.ts';
export type {
  Counters,
  DialEvent,
  DialEvents,
  Dialer,
  DialOptions,
  DialTls,
  FixedTarget,
  TargetStatus,
  UseOptions,
} from './dial/index.ts';
export type { LeaseOptions } from './leases/index.ts';
export type {
  Answer,
  FrameContext,
  FrameHandler,
  HandledConnection,
  Handler,
  Sender,
} from './listen/index.ts';
export type { Found, FoundInstance } from './registry/index.ts';
export type { FreeOptions, ProbeOptions, ProbeResult, ScanOptions, WhoOptions, WhyOptions };

type Port = number | string;

/** Sockets that match any target (`3000`, `'udp:53'`, `'pid:123'`, `'name:node'`…), or every listening one. */
export async function who(targets: Port | Port[] = [], options: WhoOptions = {}): Promise<WhoRecord> {
  return whoWith(await selectSystem(), [targets].flat().map(String).map(parseTarget), options);
}

/** Really binds the endpoint (`3000`, `'127.0.0.1:3000'`, `'udp:53'`), then explains what the system said. */
export async function why(endpoint: Port, options: WhyOptions = {}): Promise<WhyRecord> {
  return whyWith(await selectSystem(), String(endpoint), options);
}

/**
 * Stops whoever owns the ports and proves that they are free; with `dryRun` only says what would be done.
 * Never this process, its parents, or a mere client of the port.
 */
export async function free(
  ports: Port | Port[],
  options: FreeOptions & { dryRun?: boolean } = {},
  signal: AbortSignal = new AbortController().signal,
): Promise<FreeResult[]> {
  const system = await selectSystem();
  const results: FreeResult[] = [];
  for (const one of await prepareFree(system, [ports].flat().map(String).map(parsePortTarget), options)) {
    results.push(options.dryRun ? planned(one) : await carryOut(system, one, options, signal));
  }
  return results;
}

/**
 * One probe of `tcp://…`, `udp://…`, `http(s)://…`, `grpc(s)://…`, `tls://…`, `unix:…` or `exec:…`. `timeout` in
 * milliseconds, 3000 by default.
 */
export async function check(
  url: string,
  options: Partial<ProbeOptions> = {},
  signal: AbortSignal = new AbortController().signal,
): Promise<ProbeResult> {
  const system = /^exec:/i.test(url) ? { system: await selectSystem() } : {};
  return probe(url, { timeout: 3000, ...system, ...options }, signal);
}

/** Which ports (`'ssh,80,8000-8100'`) of a host answer; by connecting over TCP, unless `method` says otherwise. */
export async function scan(
  host: string,
  ports = '1-1024',
  options: Omit<ScanOptions, 'ports'> = {},
  signal: AbortSignal = new AbortController().signal,
): Promise<ScanRecord> {
  return scanWith(
    await selectSystem(),
    host,
    { ...options, ports: parsePorts(ports, options.method) },
    signal,
  );
}

export interface LeasedPort extends AsyncDisposable, Disposable {
  readonly name: string;
  /** The first of `ports`. */
  readonly port: number;
  readonly ports: readonly number[];
  /** Aborts when the lease was lost: released by force, or this process was stopped for longer than the TTL. */
  readonly lost: AbortSignal;
  release(): Promise<void>;
}

/**
 * A port that no other lease has, until it is released or this process ends. The same name gets the same port again,
 * in the next process too; two that live at the same time get two. Default name: of the project.
 * @throws ReeveError `conflict` where there is no such port.
 */
export async function lease(
  name?: string,
  options: LeaseOptions = {},
  signal: AbortSignal = new AbortController().signal,
): Promise<LeasedPort> {
  const request = {
    ttlMs: leaseTimes.heldTtl,
    ...readLeaseOptions(name, options),
    name: name ?? (await projectName(process.cwd())),
  };
  const { folder, park = true } = options;
  const system = await selectSystem();
  const book = await openLeaseBook({ system, env: process.env, ...(folder ? { folder } : {}) });
  try {
    const held = await holdLease(
      request,
      { book, system, log: silentLog, park, heartbeatMs: request.ttlMs / 3 },
      signal,
    );
    held.lost.addEventListener('abort', () => book.close());
    const release = () => held.release().finally(() => book.close());
    const releaseNow = () => {
      held.releaseNow();
      book.close();
    };
    const { port, ports, lost } = held;
    return {
      ...{ name: request.name, port, ports, lost, release },
      [Symbol.asyncDispose]: release,
      [Symbol.dispose]: releaseNow,
    };
  } catch (error) {
    book.close();
    throw error;
  }
}

export interface DiscoverOptions {
  /** Address of Consul. Default: `REEVE_REGISTRY`, `CONSUL_HTTP_ADDR`, else the agent of this machine. */
  registry?: string;
  /** All of them must be there. */
  tags?: string[];
  datacenter?: string;
  /** Nearest first, to this node; `_agent` for the one that is asked. */
  near?: string;
}

const quietContext = { clock: systemClock, random: Math.random, log: silentLog, emit: () => {} };

/** The passing instances of a service in Consul, as they are now. @throws ReeveError where it does not answer. */
export async function discover(
  service: string,
  { registry: address, ...query }: DiscoverOptions = {},
  signal: AbortSignal = new AbortController().signal,
): Promise<FoundInstance[]> {
  const registry = openRegistry(address, process.env, quietContext);
  try {
    return await registry.find({ service, ...query }, signal);
  } finally {
    await registry.close();
  }
}

/** The same again at each change, until the signal aborts. The last good list is kept while Consul is away. */
export async function* follow(
  service: string,
  { registry: address, ...query }: DiscoverOptions,
  signal: AbortSignal,
): AsyncGenerator<Found> {
  const registry = openRegistry(address, process.env, quietContext);
  let news: Found | null = null;
  let wake = () => {};
  signal.addEventListener('abort', () => wake(), { once: true });
  registry.watch({ service, ...query }, (found) => {
    news = found;
    wake();
  });
  try {
    while (!signal.aborted) {
      if (!news) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        continue;
      }
      const found: Found = news;
      news = null;
      yield found;
    }
  } finally {
    await registry.close();
  }
}

/** Announces a service of this program in Consul until it is withdrawn; it passes while its check does. */
export async function announce(service: string, options: AnnounceOptions): Promise<Announcement> {
  return announceService(service, options, process.env, quietContext);
}

export type ConnectOptions = Partial<ControlOptions>;

/**
 * The client of a running daemon, found by its configuration (`./reeve.yaml`) or by `control` and `tokenFile`. Its types
 * come from the schemas that the daemon's OpenAPI document is made of.
 */
export async function connect(options: ConnectOptions = {}): Promise<Control> {
  return connectControl({ env: process.env, ...options });
}

/**
 * Connections to whichever instance of a service is well: of Consul, or of fixed `targets`. Tries again elsewhere, leaves out
 * who fails, uses connections again. Nothing is asked until it is used, and nothing keeps the process running.
 */
export function dial(service: string, options: DialOptions = {}): Dialer {
  return createDialer(service, options, process.env, quietContext);
}
