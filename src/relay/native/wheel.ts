// Timers by the thousand: setting, moving and cancelling one costs the same however many there are. No I/O.

/** Something that is to happen at a time. A node of the wheel's lists, so that waiting needs no memory of its own. */
export interface Timed {
  /** Monotonic milliseconds. */
  due: number;
  before: Timed | null;
  after: Timed | null;
  /** Called once at `due` or up to `tickMs` later; may set itself anew. */
  expire(now: number): void;
}

/** Fine enough for the shortest timeouts that make sense, coarse enough that waiting costs nothing. */
export const tickMs = 32;
const slotCount = 2048;

/** A time further away than one turn (65 s) stays in its slot and is looked at once a turn. */
export class Wheel {
  private readonly slots: Slot[] = Array.from({ length: slotCount }, () => new Slot());
  private tick: number;
  private waiting = 0;
  private readonly aside = new Slot();

  constructor(now: number) {
    this.tick = Math.floor(now / tickMs);
  }

  set(timed: Timed, due: number): void {
    this.cancel(timed);
    timed.due = due;
    // Rounded up: never early. A time that has passed comes with the next tick.
    const tick = Math.max(Math.ceil(due / tickMs), this.tick + 1);
    this.link(timed, this.slots[tick % slotCount]!);
  }

  cancel(timed: Timed): void {
    if (!timed.before) return;
    timed.before.after = timed.after;
    if (timed.after) timed.after.before = timed.before;
    timed.before = null;
    timed.after = null;
    this.waiting -= 1;
  }

  /** Lets everything expire that is due. */
  advance(now: number): void {
    const last = Math.floor(now / tickMs);
    if (last - this.tick > slotCount) this.tick = last - slotCount;
    while (this.tick < last && this.waiting > 0) {
      this.tick += 1;
      this.sweep(this.slots[this.tick % slotCount]!, now);
    }
    this.tick = Math.max(this.tick, last);
  }

  /** Milliseconds until something may be due, at most `longest`. */
  wait(now: number, longest: number): number {
    if (this.waiting === 0) return longest;
    for (let tick = this.tick + 1; tick <= this.tick + slotCount; tick++) {
      const at = tick * tickMs - now;
      if (at >= longest) return longest;
      if (this.slots[tick % slotCount]!.after) return Math.max(0, Math.ceil(at));
    }
    return longest;
  }

  /** What expires may set and cancel anything, also others of this slot: the list is put aside before. */
  private sweep(slot: Slot, now: number): void {
    const { aside } = this;
    aside.after = slot.after;
    if (aside.after) aside.after.before = aside;
    slot.after = null;
    while (aside.after) {
      const timed: Timed = aside.after;
      const { due } = timed;
      this.cancel(timed);
      if (due <= now) timed.expire(now);
      else this.link(timed, slot);
    }
  }

  private link(timed: Timed, slot: Slot): void {
    timed.after = slot.after;
    timed.before = slot;
    if (slot.after) slot.after.before = timed;
    slot.after = timed;
    this.waiting += 1;
  }
}

class Slot implements Timed {
  due = 0;
  before: Timed | null = null;
  after: Timed | null = null;
  expire(): void {}
}
