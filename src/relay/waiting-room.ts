// Connections that wait because every target has as many as it may: first come, first served, and not too many. No I/O.

export interface Waiter {
  /** It has been turned away by some target, and waits for the others alone. */
  readonly choosy: boolean;
  /** Looks for a place anew. True where it waits no longer. */
  tryAgain(): boolean;
}

export class WaitingRoom {
  private readonly size: () => number;
  private readonly elsewhere: () => number;
  private readonly changed: (waiting: number) => void;
  private readonly waiters = new Set<Waiter>();
  private waking = false;
  private again = false;

  /** `elsewhere` counts those who wait for the same in other processes. */
  constructor(
    size: () => number,
    elsewhere: () => number = () => 0,
    changed: (waiting: number) => void = () => {},
  ) {
    this.size = size;
    this.elsewhere = elsewhere;
    this.changed = changed;
  }

  get waiting(): number {
    return this.waiters.size;
  }

  /** False: too many wait already. */
  join(waiter: Waiter): boolean {
    if (this.waiters.has(waiter)) return true;
    if (this.waiters.size + this.elsewhere() >= this.size()) return false;
    this.waiters.add(waiter);
    this.changed(this.waiters.size);
    return true;
  }

  leave(waiter: Waiter): void {
    if (this.waiters.delete(waiter)) this.changed(this.waiters.size);
  }

  /** There may be places. Called again meanwhile (a place that was taken came back), it goes on from the front. */
  wake(): void {
    this.again = true;
    if (this.waking) return;
    this.waking = true;
    while (this.again) {
      this.again = false;
      for (const waiter of this.waiters) {
        if (waiter.tryAgain()) this.leave(waiter);
        // Whoever would take any place speaks for all behind it.
        else if (!waiter.choosy) break;
      }
    }
    this.waking = false;
  }
}
