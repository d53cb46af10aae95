// One probe of one URL: is it up, and if not, why.

import { systemClock } from '../core/context.ts';
import { type ProbeScheme, type ProbeUrl, parseProbeUrl } from '../core/probe-url.ts';
import { formatDuration } from '../core/quantity.ts';
import { abortError } from '../core/time.ts';
import { matcherOf } from './expectation.ts';
import { type Attempt, type Outcome, ProbeFailure, type ProbeOptions, type ProbeResult } from './outcome.ts';
import { probeTcp } from './tcp.ts';

type Prober = (url: ProbeUrl, attempt: Attempt, signal: AbortSignal, text: string) => Promise<Outcome>;

/** Loaded when first asked for: most programs probe by one or two of them. */
const probers: Record<ProbeScheme, () => Prober | Promise<Prober>> = {
  tcp: () => probeTcp,
  udp: async () => (await import('./udp.ts')).probeUdp,
  http: async () => (await import('./http.ts')).probeHttp,
  https: async () => (await import('./http.ts')).probeHttp,
  grpc: async () => (await import('./grpc.ts')).probeGrpc,
  grpcs: async () => (await import('./grpc.ts')).probeGrpc,
  tls: async () => (await import('./tls.ts')).probeTls,
  unix: async () => (await import('./unix.ts')).probeUnix,
  exec: async () => (await import('./exec.ts')).probeExec,
};

/**
 * A timeout, like every other failure of the other side, is a result.
 * @throws ReeveError `usage` for a URL that cannot be probed, `aborted` when the signal aborts.
 */
export async function probe(url: string, options: ProbeOptions, signal: AbortSignal): Promise<ProbeResult> {
  const parsed = parseProbeUrl(url);
  if (signal.aborted) throw abortError(signal);
  const attempt: Attempt = { ...options, phase: 'starting' };
  const started = systemClock.monotonic();
  let timedOutAt: number | null = null;
  // Not AbortSignal.any: on Node 20 its dependents pile up on a caller's long-lived signal.
  const both = new AbortController();
  const stop = () => both.abort(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  const timer = setTimeout(() => {
    timedOutAt = systemClock.monotonic();
    both.abort();
  }, options.timeout);
  try {
    const run = probers[parsed.scheme]();
    const prober = run instanceof Promise ? await run : run;
    const outcome = await prober(parsed, attempt, both.signal, url).catch((error: unknown): Outcome => {
      if (error instanceof ProbeFailure) return error.outcome;
      if (signal.aborted) throw abortError(signal);
      if (both.signal.aborted) return attempt.onTimeout ?? timedOut(attempt);
      throw error;
    });
    // Ending what a timeout interrupted may take its time too.
    return { ...outcome, ms: (timedOutAt ?? systemClock.monotonic()) - started };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}

function timedOut({ timeout, phase }: Attempt): Outcome {
  const detail = `timed out after ${formatDuration(timeout)} ${phase}`;
  return { verdict: 'down', reason: 'timeout', detail };
}

/** @throws ReeveError `usage` where it cannot be probed so. */
export function assertProbeUrl(url: string, { expect }: Pick<ProbeOptions, 'expect'> = {}): void {
  parseProbeUrl(url);
  if (expect !== undefined) matcherOf(expect);
}
