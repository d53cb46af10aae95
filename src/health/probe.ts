// One probe of one URL: is it up, and if not, why.

import { systemClock } from '../core/context.ts';
import { parseEndpoint } from '../core/endpoint.ts';
import { ReeveError } from '../core/errors.ts';
import { formatDuration } from '../core/quantity.ts';
import { printable } from '../core/text.ts';
import { abortError } from '../core/time.ts';
import { probeHttp } from './http.ts';
import { type Attempt, type Outcome, ProbeFailure, type ProbeOptions, type ProbeResult } from './outcome.ts';
import { probeTcp } from './tcp.ts';

type Prober = (url: string, attempt: Attempt, signal: AbortSignal) => Promise<Outcome>;

const probers: Record<string, Prober> = { tcp: probeTcp, http: probeHttp, https: probeHttp };
const later = ['udp', 'grpc', 'grpcs', 'tls', 'unix', 'exec'];
const accepted = 'accepted are tcp://host:port, http://… and https://…';

/**
 * A timeout, like every other failure of the other side, is a result.
 * @throws ReeveError `usage` for a URL that cannot be probed, `aborted` when the signal aborts.
 */
export async function probe(url: string, options: ProbeOptions, signal: AbortSignal): Promise<ProbeResult> {
  const run = proberOf(url);
  if (signal.aborted) throw abortError(signal);
  const attempt: Attempt = { ...options, phase: 'starting' };
  const started = systemClock.monotonic();
  // Not AbortSignal.any: on Node 20 its dependents pile up on a caller's long-lived signal.
  const both = new AbortController();
  const stop = () => both.abort(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  const timer = setTimeout(() => both.abort(), options.timeout);
  try {
    const outcome = await run(url, attempt, both.signal).catch((error: unknown): Outcome => {
      if (error instanceof ProbeFailure) return error.outcome;
      if (signal.aborted) throw abortError(signal);
      if (both.signal.aborted) return timedOut(attempt);
      throw error;
    });
    return { ...outcome, ms: systemClock.monotonic() - started };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}

function timedOut({ timeout, phase }: Attempt): Outcome {
  const detail = `timed out after ${formatDuration(timeout)} ${phase}`;
  return { verdict: 'down', reason: 'timeout', detail };
}

/** @throws ReeveError `usage` where the URL cannot be probed. */
export function assertProbeUrl(url: string): void {
  proberOf(url);
}

function proberOf(url: string): Prober {
  const shown = printable(url);
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1]?.toLowerCase() ?? '';
  if (later.includes(scheme)) {
    throw new ReeveError('usage', `'${shown}': ${scheme} checks are not supported yet; ${accepted}`);
  }
  const run = Object.hasOwn(probers, scheme) ? probers[scheme] : undefined;
  if (!run || !url.slice(scheme.length).startsWith('://')) {
    const hint = /^[\w.-]*:?\d+$|^\[.+\]:\d+$/.test(url) ? { hint: `Write tcp://${shown}` } : {};
    throw new ReeveError('usage', `'${shown}' is not a URL to check: ${accepted}`, hint);
  }
  if (scheme === 'tcp') parseEndpoint(url);
  else if (!URL.canParse(url)) throw new ReeveError('usage', `'${shown}' is not a URL: ${accepted}`);
  return run;
}
