// The library: the command line's verbs as functions, on the system that they run on.

import { parseRanges } from './core/range.ts';
import type { FreeResult, ScanRecord, WhoRecord, WhyRecord } from './core/records.ts';
import { type ProbeOptions, type ProbeResult, probe } from './health/index.ts';
import {
  carryOut,
  type FreeOptions,
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
import { selectSystem } from './system/select.ts';

export { isReeveError, ReeveError } from './core/errors.ts';
export type * from './core/records.ts';
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

/** One probe of `tcp://…`, `http://…` or `https://…`. `timeout` in milliseconds, 3000 by default. */
export function check(
  url: string,
  options: Partial<ProbeOptions> = {},
  signal: AbortSignal = new AbortController().signal,
): Promise<ProbeResult> {
  return probe(url, { timeout: 3000, ...options }, signal);
}

/** Which ports (`'22,80,8000-8100'`) of a host answer; by connecting over TCP, unless `method` says otherwise. */
export async function scan(
  host: string,
  ports = '1-1024',
  options: Omit<ScanOptions, 'ports'> = {},
  signal: AbortSignal = new AbortController().signal,
): Promise<ScanRecord> {
  return scanWith(await selectSystem(), host, { ...options, ports: parseRanges(ports) }, signal);
}
