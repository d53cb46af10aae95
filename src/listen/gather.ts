// Bytes that arrive piece by piece, kept in one buffer that doubles: every byte is copied about twice, however small the pieces.

const firstSize = 256;

/**
 * Never a list of the pieces: a peer that sends single bytes would cost a hundred times as much memory as it sent.
 * Never as large as a peer announces either: it grows with what really came.
 */
export class Gather {
  length = 0;
  private buffer: Buffer | null = null;

  add(piece: Buffer): void {
    const needed = this.length + piece.length;
    if (!this.buffer || this.buffer.length < needed) {
      const larger = Buffer.allocUnsafeSlow(Math.max(firstSize, needed, (this.buffer?.length ?? 0) * 2));
      this.buffer?.copy(larger, 0, 0, this.length);
      this.buffer = larger;
    }
    piece.copy(this.buffer, this.length);
    this.length = needed;
  }

  /** All of it, valid until more is added. */
  soFar(): Buffer {
    return this.buffer ? this.buffer.subarray(0, this.length) : Buffer.alloc(0);
  }

  /** All of it, for the caller to keep; this starts anew. */
  take(): Buffer {
    const whole = this.soFar();
    this.buffer = null;
    this.length = 0;
    return whole;
  }

  takeWith(last: Buffer): Buffer {
    this.add(last);
    return this.take();
  }
}
