// The context that every part is handed: each event goes to the bus, the log and the metrics at once.
import { type Context, type EventKind, type Log, systemClock } from '../core/context.ts';
import type { EventBus } from './events.ts';
import type { Metrics } from './metrics/index.ts';

/** What a person should notice even when only warnings are shown. */
const notable: ReadonlySet<EventKind> = new Set(['conflict', 'restart']);

export function daemonContext(log: Log, events: EventBus, metrics: Metrics): Context {
  return {
    clock: systemClock,
    random: Math.random,
    log,
    emit(event) {
      const { id, kind, subject, message, detail } = events.emit(event);
      metrics.event(kind);
      const fields = { ...detail, event: id, kind, subject };
      if (
        notable.has(kind) ||
        detail.warning === true ||
        detail.verdict === 'down' ||
        detail.outcome === 'failed' ||
        detail.verified === false ||
        detail.failing === true
      )
        log.warn(fields, message);
      else log.info(fields, message);
    },
  };
}
