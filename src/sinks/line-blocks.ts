// Lines that wait to be delivered, as bytes in blocks: thousands of strings would keep the collector busy. No I/O.

/** Lines that come one by one are put together to blocks of about so many characters. */
export const blockSize = 64 * 1024;
const newline = 0x0a;

interface Block {
  bytes: Buffer;
  lines: number;
  characters: number;
}

/** Whole lines, `rest` of which are not delivered. */
export interface LineBatch {
  rest: Buffer;
  lines: number;
}

export class LineBlocks {
  /** Characters in all. */
  queued = 0;
  private blocks: Block[] = [];
  /** Lines that are not in a block yet. */
  private text = '';
  private textLines = 0;

  add(line: string): void {
    this.text += line;
    this.textLines += 1;
    this.queued += line.length;
    if (this.text.length >= blockSize) this.seal();
  }

  addLines(bytes: Buffer, lines: number): void {
    this.seal();
    this.blocks.push({ bytes, lines, characters: bytes.length });
    this.queued += bytes.length;
  }

  /** The length of the line that is next. There is one. */
  firstLine(): number {
    if (this.blocks.length === 0) this.seal();
    return this.blocks[0]!.bytes.indexOf(newline) + 1;
  }

  /** As many lines as there is room for, and at least one. Called after `firstLine`. */
  next(room: number): LineBatch {
    const first = this.blocks[0]!;
    if (first.bytes.length > room) return this.cut(first, room);
    let bytes = 0;
    let count = 0;
    while (count < this.blocks.length && bytes + this.blocks[count]!.bytes.length <= room) {
      bytes += this.blocks[count++]!.bytes.length;
    }
    const taken = this.blocks.splice(0, count);
    let lines = 0;
    for (const block of taken) {
      lines += block.lines;
      this.queued -= block.characters;
    }
    return { rest: count === 1 ? first.bytes : Buffer.concat(taken.map((block) => block.bytes)), lines };
  }

  private seal(): void {
    if (this.textLines === 0) return;
    const { text } = this;
    this.blocks.push({ bytes: Buffer.from(text), lines: this.textLines, characters: text.length });
    this.text = '';
    this.textLines = 0;
  }

  private cut(block: Block, room: number): LineBatch {
    const end = Math.max(this.firstLine(), block.bytes.lastIndexOf(newline, Math.max(0, room - 1)) + 1);
    const rest = block.bytes.subarray(0, end);
    let lines = 0;
    for (let at = rest.indexOf(newline); at >= 0; at = rest.indexOf(newline, at + 1)) lines += 1;
    // The rest of a block tells its characters at its end: an approximation is enough for a bound.
    block.bytes = block.bytes.subarray(end);
    block.lines -= lines;
    if (block.lines === 0) {
      this.blocks.shift();
      this.queued -= block.characters;
    }
    return { rest, lines };
  }
}
