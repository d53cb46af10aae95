// What a handler's author writes against: exported by the library.

/** What a handler may answer with; nothing where it answers nothing. */
// biome-ignore lint/suspicious/noConfusingVoidType: a function that returns nothing is a handler too
export type Answer = string | Uint8Array | null | undefined | void;

/** Who sent it. */
export interface Sender {
  listener: string;
  /** `host:port`. */
  client: string;
  /** Names the connection; never comes again. */
  connection: string;
}

export interface FrameContext extends Sender {
  /** Counts from 1 within the connection. */
  sequence: number;
}

/** One connection, as its handler sees it: the bytes that come, and a way to answer. */
export interface HandledConnection extends Sender, AsyncIterable<Buffer> {
  /** Aborts when the connection is cut. */
  readonly signal: AbortSignal;
  /** Resolves when more may be written; rejects when the connection is gone. */
  write(data: string | Uint8Array): Promise<void>;
}

/**
 * The default export of a listener's `handler` without `frame`: called once a connection. What it returns or yields is
 * written; when it is done, the connection is ended.
 */
export type Handler = (connection: HandledConnection) => Answer | Promise<Answer> | AsyncIterable<Answer>;

/** The default export of a listener's `handler` with `frame`: called for each frame, in order. */
export type FrameHandler = (
  frame: Buffer,
  context: FrameContext,
) => Answer | Promise<Answer> | AsyncIterable<Answer>;
