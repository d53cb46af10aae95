// Scans of many hosts: a few at a time, under one pace, each told as soon as it is finished.
import { systemClock } from '../../core/context.ts';
import { errorCode, errorMessage, isReeveError, ReeveError } from '../../core/errors.ts';
import { countPorts } from '../../core/range.ts';
import type { ScanRecord } from '../../core/records.ts';
import type { System } from '../../system/index.ts';
import { createPace } from './pace.ts';
import { politeRateOf, type ScanOptions, scanHost } from './scan.ts';

/** Enough that hosts which answer nothing do not hold up the others; they share descriptors and pace. */
const hostsAtOnce = 16;

export interface ManyOptions extends ScanOptions {
  /** A host was finished, wholly or, after an abort, as far as it got. */
  onHost: (record: ScanRecord) => void;
  /** A host could not be scanned: its name does not resolve, or there is no route to it. */
  onFailure: (host: string, error: ReeveError) => void;
}

/**
 * @throws ReeveError what concerns every host, such as `privilege`; the first one ends the scan.
 */
export async function scanMany(
  system: System,
  hosts: readonly string[],
  options: ManyOptions,
  signal: AbortSignal,
): Promise<void> {
  const facts = await system.host.facts();
  const atOnce = Math.min(hosts.length, hostsAtOnce);
  const clock = options.clock ?? systemClock;
  const shared = createPace(options.rate ?? politeRateOf(options.method), clock);
  const setting = { system, facts, shared, hostsAtOnce: atOnce };
  const perHost = Math.ceil((options.concurrency ?? 1000) / atOnce);
  const total = countPorts(options.ports) * hosts.length;
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  let done = 0;
  let open = 0;
  const queue = hosts[Symbol.iterator]();

  const worker = async () => {
    for (const host of queue) {
      if (either.aborted) return;
      let before = 0;
      let openBefore = 0;
      const onProgress = (hostDone: number, _: number, hostOpen: number) => {
        done += hostDone - before;
        open += hostOpen - openBefore;
        before = hostDone;
        openBefore = hostOpen;
        options.onProgress?.(done, total, open);
      };
      try {
        const own: ScanOptions = { ...options, concurrency: perHost, onProgress };
        options.onHost(await scanHost(setting, host, own, either));
      } catch (error) {
        const failure = asHostFailure(host, error);
        if (failure === null) {
          stop.abort();
          throw error;
        }
        onProgress(countPorts(options.ports), 0, openBefore);
        options.onFailure(host, failure);
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

const unreachable = new Set(['ENETUNREACH', 'EHOSTUNREACH', 'EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EINVAL']);

/** Null for an error that is not about this host alone. */
function asHostFailure(host: string, error: unknown): ReeveError | null {
  if (isReeveError(error)) return error.code === 'not-found' ? error : null;
  if (!unreachable.has(errorCode(error) ?? '')) return null;
  return new ReeveError('unreachable', `cannot scan '${host}': ${errorMessage(error)}`, { cause: error });
}
