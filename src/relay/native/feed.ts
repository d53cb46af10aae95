// The records of one listener on their way from a worker to a sink: gathered into batches, and no more than the sink takes. No I/O.
import { packBatch } from './batch.ts';

/** Characters of records that may be under way before no more is read. */
const credit = 1024 * 1024;
/** A batch of so many goes at once. */
const enough = 64 * 1024;
/** Small ones follow each other no faster, in milliseconds; the first after a silence goes at once. */
const pace = 1;

export class Feed {
  private readonly listener: number;
  private readonly send: (packed: Buffer) => void;
  private text = '';
  private lines = 0;
  /** Of the batch that was sent last, and of the last that was taken. */
  private sent = 0;
  private taken = 0;
  /** Characters of each batch between those two, and of all. */
  private readonly sizes: number[] = [];
  private underWay = 0;
  private sealedAt = Number.NEGATIVE_INFINITY;

  constructor(listener: number, send: (packed: Buffer) => void) {
    this.listener = listener;
    this.send = send;
  }

  get full(): boolean {
    return this.underWay + this.text.length >= credit;
  }

  /** Everything was taken. */
  get empty(): boolean {
    return this.lines === 0 && this.taken === this.sent;
  }

  /** @returns the number of the batch that has the line. */
  add(line: string): number {
    const number = this.sent + 1;
    this.text += line;
    this.lines += 1;
    if (this.text.length >= enough) this.seal();
    return number;
  }

  has(number: number): boolean {
    return number > this.taken;
  }

  /** Sends what is due; returns milliseconds until more is. */
  flush(now: number): number {
    if (this.lines === 0) return Number.POSITIVE_INFINITY;
    const left = this.sealedAt + pace - now;
    if (left > 0) return left;
    this.sealedAt = now;
    this.seal();
    return Number.POSITIVE_INFINITY;
  }

  /** Every batch up to this one has its place. */
  took(number: number): void {
    while (this.taken < number && this.taken < this.sent) {
      this.taken += 1;
      this.underWay -= this.sizes.shift()!;
    }
  }

  private seal(): void {
    this.sent += 1;
    this.sizes.push(this.text.length);
    this.underWay += this.text.length;
    this.send(packBatch(this.listener, this.sent, this.lines, this.text));
    this.text = '';
    this.lines = 0;
  }
}
