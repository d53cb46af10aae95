// scan: which ports of one host answer. Puts together prober, pace and timing; the loop itself is in engine.ts.
import { lookup } from 'node:dns/promises';
import { setMaxListeners } from 'node:events';
import { familyOf, isLoopback } from '../../core/address.ts';
import { type Clock, systemClock } from '../../core/context.ts';
import { errorMessage, ReeveError } from '../../core/errors.ts';
import type { Rate } from '../../core/quantity.ts';
import { countPorts, type PortRange, portsOf } from '../../core/range.ts';
import type { ScanRecord } from '../../core/records.ts';
import type { HostFacts, PortAnswer, Prober, ScanTarget, System } from '../../system/index.ts';
import type { readBanners } from './banner.ts';
import { confirmOpen } from './confirm.ts';
import { sweep } from './engine.ts';
import { createPace, type Pace } from './pace.ts';
import { createPortableProber } from './portable.ts';
import { createTiming } from './timing.ts';
import { createUdpProber } from './udp.ts';
import { wellKnownService } from './wellknown.ts';

export type ScanMethod = ScanRecord['method'];

export interface ScanOptions {
  ports: PortRange[];
  /** Default: `connect`. */
  method?: ScanMethod;
  /** The longest that one probe waits for its answer; less once answers have shown how fast the host is. Default: 1000. */
  timeoutMs?: number;
  /** How often a silent port is asked again before it counts as `filtered`. Default: 1. */
  retries?: number;
  /** Probes under way at once; fewer where descriptors are short. Default: 1000; 128 for UDP. */
  concurrency?: number;
  /** Of probes. Default: as fast as answers come on this machine; elsewhere 500/s, for UDP 50/s. */
  rate?: Rate;
  /** Also ask each open TCP port what it says. Default: false. */
  banner?: boolean;
  clock?: Clock;
  onProgress?: (done: number, total: number, open: number) => void;
}

/** Off this machine. Slower for UDP: systems limit how often they say that a port is closed (Linux: once a second). */
export function politeRateOf(method: ScanMethod = 'connect'): Rate {
  return { count: method === 'udp' ? 50 : 500, perMs: 1000 };
}

/**
 * Asks every port of the host. Cut short by the signal, it tells what it knows by then.
 * @throws ReeveError `not-found` for a name that does not resolve, `privilege` for a method that needs it.
 */
export async function scan(
  system: System,
  host: string,
  options: ScanOptions,
  signal: AbortSignal,
): Promise<ScanRecord> {
  const facts = await system.host.facts();
  return scanHost({ system, facts, shared: null, hostsAtOnce: 1 }, host, options, signal);
}

export interface ScanSetting {
  system: System;
  facts: HostFacts;
  /** One pace for several hosts. */
  shared: Pace | null;
  /** So many hosts share this process's descriptors. */
  hostsAtOnce: number;
}

export async function scanHost(
  { system, facts, shared, hostsAtOnce }: ScanSetting,
  host: string,
  options: ScanOptions,
  signal: AbortSignal,
): Promise<ScanRecord> {
  const { method = 'connect', clock = systemClock, timeoutMs = 1000 } = options;
  const started = clock.monotonic();
  // Every probe under way may listen to it, and takes its listener away again.
  setMaxListeners(0, signal);
  const address = await resolve(host);
  const local = isLocal(address, facts);
  const unhurried = local && options.rate === undefined;
  const own = () => createPace(unhurried ? null : (options.rate ?? politeRateOf(method)), clock);
  const pace = unhurried ? own() : (shared ?? own());
  const total = countPorts(options.ports);
  const capacity = Math.max(
    1,
    Math.min(
      options.concurrency ?? (method === 'udp' ? 128 : 1000),
      total,
      spareDescriptors(facts) / hostsAtOnce,
    ),
  );
  const counts = { open: 0, closed: 0, filtered: 0 };
  const open: number[] = [];
  let done = 0;
  const answered = (port: number, answer: PortAnswer) => {
    counts[answer] += 1;
    if (answer === 'open') open.push(port);
    done += 1;
    options.onProgress?.(done, total, open.length);
  };
  const run = async (ports: Iterable<number>, heard: typeof answered) => {
    const prober = openProber(system, method, { address, local, capacity });
    try {
      await sweep(
        {
          prober,
          ports,
          capacity,
          retries: options.retries ?? 1,
          pace,
          timing: createTiming(timeoutMs),
          clock,
          answered: heard,
        },
        signal,
      );
    } finally {
      prober.close();
    }
  };
  await run(portsOf(options.ports), answered);

  const found = open.sort((a, b) => a - b);
  const confirmed = local && method === 'connect' ? await confirmOpen(system, address, found, run) : found;
  counts.closed += found.length - confirmed.length;
  counts.open = confirmed.length;
  const banners =
    options.banner && method !== 'udp'
      ? await readBannersLater(address, confirmed, signal)
      : new Map<number, string>();
  const protocol = method === 'udp' ? 'udp' : 'tcp';
  return {
    host,
    method,
    open: confirmed.map((port) => ({
      port,
      protocol,
      service: wellKnownService(port, protocol),
      banner: banners.get(port) ?? null,
    })),
    counts,
    ms: Math.round(clock.monotonic() - started),
  };
}

/** Node's TLS takes longer to load than many a scan takes, so only who asks for banners loads it. */
async function readBannersLater(...words: Parameters<typeof readBanners>): Promise<Map<number, string>> {
  return (await import('./banner.ts')).readBanners(...words);
}

function openProber(system: System, method: ScanMethod, target: ScanTarget): Prober {
  if (method === 'syn') return system.scanner.syn(target);
  if (method === 'udp') return createUdpProber(target);
  return system.scanner.connect(target) ?? createPortableProber(target);
}

async function resolve(host: string): Promise<string> {
  if (familyOf(host.split('%')[0]!)) return host;
  try {
    return (await lookup(host)).address;
  } catch (error) {
    throw new ReeveError(
      'not-found',
      `cannot scan '${host}': the name does not resolve (${errorMessage(error)})`,
    );
  }
}

/** Leaves some for everything else that this process opens. */
function spareDescriptors({ descriptors }: HostFacts): number {
  return descriptors.soft === null ? 512 : Math.max(1, descriptors.soft - (descriptors.open ?? 64) - 64);
}

function isLocal(address: string, { addresses }: HostFacts): boolean {
  // Interfaces' own addresses are listed without a zone.
  const bare = address.split('%')[0]!;
  return isLoopback(bare) || addresses.some((own) => own.address === bare);
}
