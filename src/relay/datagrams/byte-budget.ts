// How many bytes may wait at once: for one session in one direction, and for all of a listener together. No I/O.

export class ByteBudget {
  private used = 0;
  private readonly most: number;
  private readonly whole: ByteBudget | null;

  constructor(most: number, whole: ByteBudget | null = null) {
    this.most = most;
    this.whole = whole;
  }

  /** False: too much waits already. Every `true` is answered by one `give` of as many. */
  take(bytes: number): boolean {
    if (this.used + bytes > this.most) return false;
    if (this.whole && !this.whole.take(bytes)) return false;
    this.used += bytes;
    return true;
  }

  give(bytes: number): void {
    this.used -= bytes;
    this.whole?.give(bytes);
  }
}
