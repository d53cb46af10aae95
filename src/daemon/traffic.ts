// What one listener's connections add up to. On the hot path: plain numbers here, metrics only when scraped.
import type { Log } from '../core/context.ts';
import type { RefusalReason } from '../listen/index.ts';
import type { ConnectionEnd, EndReason, EngineReports } from '../relay/index.ts';
import { createQuantiles } from './quantiles.ts';
import type { DatagramStatus, LatencyStatus } from './status.ts';

export interface Traffic extends EngineReports {
  readonly totals: {
    connections: number;
    received: number;
    sent: number;
    refused: Partial<Record<RefusalReason, number>>;
    ended: Partial<Record<EndReason, number>>;
  };
  latency(): LatencyStatus;
  datagrams(): DatagramStatus;
}

/** Told of every connection that ended, for the histograms. */
export type Observe = (listener: string, end: ConnectionEnd) => void;

/** Told what became of each connection to a target: null where it went well, else the code of its failure. */
export type Outcome = (target: string, code: string | null) => void;

/** Counts and logs: one line a connection at its end, with the one reason for it; its beginning at debug level. */
export function createTraffic(log: Log, observe: Observe, outcome: Outcome = () => {}): Traffic {
  const totals: Traffic['totals'] = { connections: 0, received: 0, sent: 0, refused: {}, ended: {} };
  const datagrams: DatagramStatus = { received: 0, sent: 0, dropped: {} };
  const [connect, duration] = [createQuantiles(), createQuantiles()];
  const named = log.isLevelEnabled?.('info') ?? true;
  return {
    named,
    totals,
    latency: () => ({ connect: connect.read(), duration: duration.read() }),
    datagrams: () => ({ ...datagrams, dropped: { ...datagrams.dropped } }),
    opened(listener, client) {
      totals.connections += 1;
      if (named) log.debug({ listener, client }, 'connect');
    },
    refused(listener, client, reason, why = null) {
      totals.refused[reason] = (totals.refused[reason] ?? 0) + 1;
      log.debug({ listener, client, reason, why }, 'refused');
    },
    received(_listener, bytes) {
      totals.received += bytes;
    },
    sent(_listener, bytes) {
      totals.sent += bytes;
    },
    datagram(_listener, what) {
      if (what === 'received' || what === 'sent') datagrams[what] += 1;
      else datagrams.dropped[what] = (datagrams.dropped[what] ?? 0) + 1;
    },
    targetFailed(listener, target, code) {
      // The end of the connection tells how often, at info level; a dead target must not double the log.
      log.debug({ listener, target, code }, 'target did not take the connection');
      outcome(target, code);
    },
    targetTook(_listener, target) {
      outcome(target, null);
    },
    ended(listener, end) {
      totals.ended[end.reason] = (totals.ended[end.reason] ?? 0) + 1;
      observe(listener, end);
      duration.observe(end.ms);
      if (end.connectMs !== null) connect.observe(end.connectMs);
      if (!named) return;
      const connectMs = end.connectMs === null ? null : rounded(end.connectMs);
      log.info({ listener, ...end, ms: rounded(end.ms), connectMs }, 'disconnect');
    },
  };
}

/** Microseconds are all that the clock is good for. */
function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
