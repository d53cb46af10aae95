// A client's visit to a listener, by a connection or by datagrams: what has passed, and the record of its end.
import { formatHostPort } from '../core/endpoint.ts';
import type { HostAndPort } from '../listen/index.ts';
import type { ConnectionEnd, EndReason, EngineReports, ListenerPlan } from './engine.ts';

/** What a visit needs from its listener. */
export interface Visited {
  /** Always the newest. */
  readonly plan: ListenerPlan;
  readonly reports: EngineReports;
  /** Monotonic milliseconds, for durations. */
  now(): number;
  /** Milliseconds since 1970, for people. */
  wall(): number;
  left(visit: Visit): void;
}

export abstract class Visit<Home extends Visited = Visited> {
  /** The address as admission counted it: a closed socket no longer tells. */
  readonly address: string;
  readonly clientName: string;
  protected readonly home: Home;
  protected received = 0;
  protected sent = 0;
  protected target: string | null = null;
  protected connectMs: number | null = null;
  /** Targets that turned out not to be there. */
  protected retries = 0;
  protected over = false;
  protected readonly startedAt: number;

  constructor(client: HostAndPort, home: Home) {
    this.address = client.address;
    this.clientName = formatHostPort(client.address, client.port);
    this.home = home;
    this.startedAt = home.now();
  }

  /** Ends it now. */
  abstract stop(reason: EndReason, detail?: string | null): void;

  /** The listener has it no longer; who calls this reports the end, once. */
  protected leave(reason: EndReason, detail: string | null): ConnectionEnd {
    this.over = true;
    this.home.left(this);
    return {
      client: this.clientName,
      target: this.target,
      reason,
      received: this.received,
      sent: this.sent,
      ms: this.home.now() - this.startedAt,
      connectMs: this.connectMs,
      retries: this.retries,
      detail,
    };
  }
}
