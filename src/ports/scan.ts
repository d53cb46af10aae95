// scan: which TCP ports of a host accept a connection, found by connecting.
import { lookup } from 'node:dns/promises';
import { setMaxListeners } from 'node:events';
import { connect } from 'node:net';
import { familyOf, isLoopback } from '../core/address.ts';
import { errorCode, errorMessage, ReeveError } from '../core/errors.ts';
import { countPorts, type PortRange, portsOf } from '../core/range.ts';
import type { ScanRecord } from '../core/records.ts';
import { sleep } from '../core/time.ts';
import type { HostFacts } from '../system/index.ts';
import { wellKnownService } from './wellknown.ts';

export interface ScanOptions {
  ports: PortRange[];
  /** A port that has not answered by then is `filtered`. Milliseconds. */
  timeoutMs: number;
  /** Connections under way at once; fewer where descriptors are short. */
  concurrency: number;
  onProgress?: (done: number, total: number, open: number) => void;
}

export type PortState = 'open' | 'closed' | 'filtered';

/** What one connect learnt; `own` is the local port it came from, `descriptors` that there was none left. */
type Attempt = { state: PortState; self: boolean } | 'descriptors';

/**
 * Connects to each port once. On this machine a connect can succeed though nobody listens: a connection from an
 * ephemeral port to itself (simultaneous open, RFC 9293 §3.5), or two of the scan's own that meet. So open ports of
 * a local host are asked again one at a time, where two cannot meet and one that meets itself shows it.
 * @throws ReeveError `not-found` for a name that does not resolve.
 */
export async function scan(
  host: string,
  options: ScanOptions,
  facts: HostFacts,
  signal: AbortSignal,
): Promise<ScanRecord> {
  const started = performance.now();
  // Every connection under way listens to it, and takes its listener away again.
  setMaxListeners(0, signal);
  const address = await resolve(host);
  const counts = { open: 0, closed: 0, filtered: 0 };
  const open: number[] = [];
  const total = countPorts(options.ports);
  let done = 0;
  const ports = portsOf(options.ports);
  const retries: number[] = [];
  const next = (): number | undefined => retries.pop() ?? ports.next().value ?? undefined;

  const worker = async () => {
    for (let port = next(); port !== undefined && !signal.aborted; port = next()) {
      const attempt = await tryConnect(address, port, options.timeoutMs, signal);
      if (attempt === 'descriptors') {
        // This worker ends, so that fewer are under way; the last one has nobody to wait for.
        retries.push(port);
        if (--workers > 0) return;
        workers = 1;
        await sleep(50, signal).catch(() => {});
        continue;
      }
      const state = attempt.self ? 'closed' : attempt.state;
      counts[state] += 1;
      if (state === 'open') open.push(port);
      options.onProgress?.(++done, total, open.length);
    }
  };
  let workers = Math.max(1, Math.min(options.concurrency, total, spareDescriptors(facts)));
  await Promise.all(Array.from({ length: workers }, worker));

  const found = open.sort((a, b) => a - b);
  const confirmed = isLocal(address, facts)
    ? await confirm(address, found, options.timeoutMs, signal)
    : found;
  counts.closed += found.length - confirmed.length;
  counts.open = confirmed.length;
  return {
    host,
    method: 'connect',
    open: confirmed.map((port) => ({ port, protocol: 'tcp', service: wellKnownService(port), banner: null })),
    counts,
    ms: Math.round(performance.now() - started),
  };
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
  return isLoopback(address) || addresses.some((own) => own.address === address);
}

async function confirm(
  address: string,
  ports: number[],
  timeoutMs: number,
  signal: AbortSignal,
): Promise<number[]> {
  const confirmed: number[] = [];
  for (const port of ports) {
    const attempt = await tryConnect(address, port, timeoutMs, signal);
    if (attempt === 'descriptors' || (attempt.state === 'open' && !attempt.self)) confirmed.push(port);
  }
  return confirmed;
}

const closedCodes = new Set(['ECONNREFUSED', 'ECONNRESET']);
const descriptorCodes = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'EADDRNOTAVAIL', 'EAGAIN']);

function tryConnect(host: string, port: number, timeoutMs: number, signal: AbortSignal): Promise<Attempt> {
  return new Promise((settle) => {
    const socket = connect({ host, port });
    let settled = false;
    const end = (attempt: Attempt) => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
      socket.destroy();
      settle(attempt);
    };
    const stop = () => end({ state: 'filtered', self: false });
    const timer = setTimeout(stop, timeoutMs);
    signal.addEventListener('abort', stop, { once: true });
    socket.once('connect', () => {
      const self = socket.localPort === socket.remotePort && socket.localAddress === socket.remoteAddress;
      // A reset leaves no TIME_WAIT behind, which thousands of connects would fill the table with.
      if (!self) socket.resetAndDestroy();
      end({ state: 'open', self });
    });
    socket.once('error', (error) => {
      const code = errorCode(error) ?? '';
      if (descriptorCodes.has(code)) end('descriptors');
      else end({ state: closedCodes.has(code) ? 'closed' : 'filtered', self: false });
    });
  });
}
