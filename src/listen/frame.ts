// Cuts a byte stream into frames: lines, length-prefixed messages, or as it comes. No I/O.
import type { ListenerConfig } from '../config/index.ts';
import { Gather } from './gather.ts';

export type FrameKind = NonNullable<ListenerConfig['frame']>;

/** Why a stream cannot be cut any further. */
export type FrameFailure = 'frame-too-large' | 'frame-incomplete';

/**
 * Frames may share memory with the chunk they came in. However the stream is split into chunks, the frames and the
 * failure are the same, except that `raw` frames are the chunks.
 */
export interface Framer<Frame = Buffer> {
  /** Set once, by `push` or `end`; the frames returned so far are whole, and nothing comes after. */
  readonly failure: FrameFailure | null;
  push(chunk: Buffer): Frame[];
  /** The stream is over: what is left of it. */
  end(): Frame[];
}

/** `limit`: the most bytes in a frame, not counting a line's ending or a message's length. */
export function createFramer(kind: FrameKind, limit: number): Framer {
  if (kind === 'line') return new LineFramer(limit);
  if (kind === 'length-prefixed') return new LengthFramer(limit);
  return new RawFramer(limit);
}

const newline = 0x0a;
const carriageReturn = 0x0d;

/** Ended by LF or CRLF; the last line needs no ending. */
export class LineFramer implements Framer {
  failure: FrameFailure | null = null;
  private readonly limit: number;
  private readonly rest = new Gather();

  constructor(limit: number) {
    this.limit = limit;
  }

  /** Whether a line has begun. */
  get begun(): boolean {
    return this.rest.length > 0;
  }

  push(chunk: Buffer): Buffer[] {
    const lines: Buffer[] = [];
    let start = 0;
    while (this.failure === null) {
      const end = chunk.indexOf(newline, start);
      if (end < 0) break;
      const part = chunk.subarray(start, end);
      const line = withoutReturn(this.rest.length === 0 ? part : this.rest.takeWith(part));
      if (line.length > this.limit) this.failure = 'frame-too-large';
      else lines.push(line);
      start = end + 1;
    }
    if (this.failure === null && start < chunk.length) this.keep(chunk.subarray(start));
    return lines;
  }

  end(): Buffer[] {
    if (this.failure !== null || this.rest.length === 0) return [];
    const line = this.rest.take();
    if (line.length <= this.limit) return [line];
    this.failure = 'frame-too-large';
    return [];
  }

  private keep(part: Buffer): void {
    // One byte over the limit may still be the CR of a line's ending.
    if (this.rest.length + part.length > this.limit + 1) this.failure = 'frame-too-large';
    else this.rest.add(part);
  }
}

function withoutReturn(line: Buffer): Buffer {
  return line.at(-1) === carriageReturn ? line.subarray(0, -1) : line;
}

const headerLength = 4;

/** Four bytes, big-endian, say how long the message after them is. */
class LengthFramer implements Framer {
  failure: FrameFailure | null = null;
  private readonly limit: number;
  private readonly rest = new Gather();
  /** The length of the message that is being gathered; null while its header is. */
  private wanted: number | null = null;

  constructor(limit: number) {
    this.limit = limit;
  }

  push(chunk: Buffer): Buffer[] {
    const messages: Buffer[] = [];
    let start = 0;
    while (this.failure === null) {
      const missing = (this.wanted ?? headerLength) - this.rest.length;
      if (chunk.length - start < missing) break;
      const part = chunk.subarray(start, start + missing);
      const whole = this.rest.length === 0 ? part : this.rest.takeWith(part);
      start += missing;
      if (this.wanted !== null) {
        messages.push(whole);
        this.wanted = null;
      } else {
        this.wanted = whole.readUInt32BE(0);
        if (this.wanted > this.limit) this.failure = 'frame-too-large';
      }
    }
    if (this.failure === null && start < chunk.length) this.rest.add(chunk.subarray(start));
    return messages;
  }

  end(): Buffer[] {
    if (this.wanted !== null || this.rest.length > 0) this.failure ??= 'frame-incomplete';
    return [];
  }
}

/** Each chunk as it came, cut where it is over the limit. */
class RawFramer implements Framer {
  readonly failure = null;
  private readonly limit: number;

  constructor(limit: number) {
    this.limit = limit;
  }

  push(chunk: Buffer): Buffer[] {
    if (chunk.length <= this.limit) return chunk.length === 0 ? [] : [chunk];
    const pieces: Buffer[] = [];
    for (let at = 0; at < chunk.length; at += this.limit) pieces.push(chunk.subarray(at, at + this.limit));
    return pieces;
  }

  end(): Buffer[] {
    return [];
  }
}
