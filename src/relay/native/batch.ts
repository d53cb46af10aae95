// Records that a worker hands to the control process for a sink, many at once: whole lines of JSON with a small head. Pure.

export interface Batch {
  /** The listener's number, as the commands have it. */
  listener: number;
  /** Counts from 1 for each listener of a worker. */
  number: number;
  lines: number;
  bytes: Buffer;
}

const lengthSize = 4;
const headSize = 16;
/** A frame of a listener has an end, and so has a batch: a longer one is not one of ours. */
const longest = 1024 * 1024 * 1024;

export function packBatch(listener: number, number: number, lines: number, text: string): Buffer {
  const size = headSize + Buffer.byteLength(text);
  const packed = Buffer.allocUnsafeSlow(lengthSize + size);
  packed.writeUInt32BE(size, 0);
  packed.writeUInt32LE(listener, 4);
  packed.writeUInt32LE(lines, 8);
  packed.writeDoubleLE(number, 12);
  packed.write(text, lengthSize + headSize);
  return packed;
}

/** Cuts a stream into its batches, however it arrives. What is left of one when the stream ends counts for nothing. */
export class BatchDecoder {
  /** The batch that is being gathered, so many bytes of it, or its length. */
  private packed: Buffer = Buffer.alloc(lengthSize);
  private filled = 0;
  private isLength = true;

  /** @throws Error where it is none. */
  push(chunk: Buffer): Batch[] {
    const batches: Batch[] = [];
    for (let at = 0; at < chunk.length; ) {
      const taken = chunk.copy(this.packed, this.filled, at);
      at += taken;
      this.filled += taken;
      if (this.filled < this.packed.length) break;
      if (this.isLength) this.begin(this.packed.readUInt32BE(0));
      else {
        batches.push(unpack(this.packed));
        this.packed = Buffer.alloc(lengthSize);
        this.filled = 0;
        this.isLength = true;
      }
    }
    return batches;
  }

  private begin(size: number): void {
    if (size <= headSize || size > longest) throw new Error(`no batch of records: ${size} bytes`);
    this.packed = Buffer.allocUnsafeSlow(size);
    this.filled = 0;
    this.isLength = false;
  }
}

function unpack(packed: Buffer): Batch {
  return {
    listener: packed.readUInt32LE(0),
    lines: packed.readUInt32LE(4),
    number: packed.readDoubleLE(8),
    bytes: packed.subarray(headSize),
  };
}
