// What is known of one connection, from its coming to the line that is logged at its end. No I/O.
import { formatHostPort } from '../../core/endpoint.ts';
import { outcomeOf } from '../ending.ts';
import type { ConnectionEnd, EndReason } from '../engine.ts';
import type { Place } from './place.ts';

export class Visit {
  address = '';
  port = 0;
  /** From and to the client. */
  received = 0;
  sent = 0;
  /** Where it is sent, counted there as open. */
  place: Place | null = null;
  startedAt = 0;
  connectMs: number | null = null;
  retries = 0;
  protected ending: EndReason | null = null;
  protected detail: string | null = null;

  get reason(): EndReason {
    return this.ending ?? 'error';
  }

  /** What its end says of its target. */
  outcome(now: number): ReturnType<typeof outcomeOf> {
    const { place, reason, sent, connectMs } = this;
    return outcomeOf({ target: place?.id ?? null, reason, sent, ms: now - this.startedAt, connectMs });
  }

  get caller(): string {
    return formatHostPort(this.address, this.port);
  }

  record(now: number): ConnectionEnd {
    return {
      client: this.caller,
      target: this.place?.id ?? null,
      reason: this.reason,
      received: this.received,
      sent: this.sent,
      ms: now - this.startedAt,
      connectMs: this.connectMs,
      retries: this.retries,
      detail: this.detail,
    };
  }

  /** As new. */
  protected forget(): void {
    this.received = 0;
    this.sent = 0;
    this.place = null;
    this.connectMs = null;
    this.retries = 0;
    this.ending = null;
    this.detail = null;
  }
}
