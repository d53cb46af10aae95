// Cuts lines as LineFramer does; what is ASCII comes as text, which costs a third of what a buffer for each line costs. No I/O.
import { isAscii } from 'node:buffer';
import { createFramer, type FrameFailure, type FrameKind, type Framer, LineFramer } from './frame.ts';

/** A string has ASCII alone: as many bytes as characters. */
export type Frame = Buffer | string;

/** For whoever writes text: the same frames as those of `createFramer`. */
export function createTextFramer(kind: FrameKind, limit: number): Framer<Frame> {
  return kind === 'line' ? new AsciiLineFramer(limit) : createFramer(kind, limit);
}

const newline = 0x0a;
const carriageReturn = 0x0d;

class AsciiLineFramer implements Framer<Frame> {
  private readonly limit: number;
  /** Knows lines that are not whole yet, and those that are not ASCII. */
  private readonly bytes: LineFramer;
  private tooLarge = false;

  constructor(limit: number) {
    this.limit = limit;
    this.bytes = new LineFramer(limit);
  }

  get failure(): FrameFailure | null {
    return this.tooLarge ? 'frame-too-large' : this.bytes.failure;
  }

  push(chunk: Buffer): Frame[] {
    if (this.failure !== null) return [];
    const end = chunk.lastIndexOf(newline) + 1;
    if (end === 0) return this.bytes.push(chunk);
    const start = this.bytes.begun ? chunk.indexOf(newline) + 1 : 0;
    const whole = chunk.subarray(start, end);
    if (!isAscii(whole)) return this.bytes.push(chunk);
    const lines: Frame[] = this.bytes.push(chunk.subarray(0, start));
    if (this.failure !== null) return lines;
    this.cut(whole.toString('latin1'), whole.includes(carriageReturn), lines);
    if (!this.tooLarge) this.bytes.push(chunk.subarray(end));
    return lines;
  }

  end(): Frame[] {
    return this.tooLarge ? [] : this.bytes.end();
  }

  /** Every line of `text` has its ending. */
  private cut(text: string, mayReturn: boolean, lines: Frame[]): void {
    for (let start = 0; start < text.length; ) {
      const next = text.indexOf('\n', start) + 1;
      const end = mayReturn && next - 2 >= start && text[next - 2] === '\r' ? next - 2 : next - 1;
      if (end - start > this.limit) {
        this.tooLarge = true;
        return;
      }
      lines.push(text.slice(start, end));
      start = next;
    }
  }
}
