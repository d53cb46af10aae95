// Where received data goes. A sink that cannot keep up makes its writers wait; nothing is dropped in silence.

/** One frame that a listener received. */
export interface SinkRecord {
  /** When the frame was complete, as ISO 8601. */
  time: string;
  listener: string;
  /** `host:port` of the sender. */
  client: string;
  /** Counts from 1 within one connection. */
  sequence: number;
  data: Buffer;
}

export interface SinkCounters {
  accepted: number;
  delivered: number;
  bytes: number;
}

export interface Sink {
  readonly name: string;
  readonly kind: string;
  /** Resolves once the sink has taken the record over and more may come; rejects when it has failed for good. */
  write(record: SinkRecord): Promise<void> | undefined;
  counters(): SinkCounters;
  /** Delivers what was accepted, then lets go. */
  close(): Promise<void>;
}
