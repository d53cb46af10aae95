// Where received data goes. A sink that cannot keep up, or that fails, makes its writers wait; nothing is dropped in silence.

/** One frame that a listener received. */
export interface SinkRecord {
  /** When the frame was complete, as ISO 8601. */
  time: string;
  listener: string;
  /** Unlike the client's address, never given twice. */
  connection: string;
  /** `host:port` of the sender. */
  client: string;
  /** Counts from 1 within one connection. */
  sequence: number;
  /** Text is ASCII alone: as many bytes as characters. */
  data: Buffer | string;
}

/**
 * Why something that was received reached no sink. `closed`: the sink had failed until its end; the others are how the
 * connection ended whose data waited for the sink, or why a datagram could not wait (`backlog`, `too-large`). A closed
 * list, so that metrics stay bounded.
 */
export const dropReasons = [
  'closed',
  'drained',
  'client-reset',
  'sink-failed',
  'error',
  'backlog',
  'too-large',
] as const;
export type DropReason = (typeof dropReasons)[number];

export interface SinkCounters {
  accepted: number;
  delivered: number;
  bytes: number;
  /** Records that lie on disk now, to be delivered later. */
  spooled: number;
  /** How often it began to fail. */
  failures: number;
  dropped: Partial<Record<DropReason, number>>;
}

export interface Sink {
  readonly name: string;
  readonly kind: string;
  /** Why nothing can be written now; null while all is well. */
  readonly failure: string | null;
  /** What else should be known of it, such as that records go to the spool. */
  readonly note: string | null;
  /** Begins to deliver. Before that it only accepts, within its bound. */
  start(): void;
  /** Undefined or resolved once the sink has taken the record over and more may come; rejects when it is closed. */
  write(record: SinkRecord): Promise<void> | undefined;
  /** The same for records that were made lines by `lineEncoder` elsewhere, `count` of them, each with its ending. */
  writeLines(listener: string, lines: Buffer, count: number): Promise<void> | undefined;
  /** Counts records that were received and will not be written. */
  drop(records: number, reason: DropReason): void;
  counters(): SinkCounters;
  /** Delivers what was accepted, then lets go. */
  close(): Promise<void>;
}
