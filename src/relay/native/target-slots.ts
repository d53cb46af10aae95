// Where the workers of one listener count together: the connections to each target that has a cap, and those that wait.
import type { Target } from '../engine.ts';
import type { Slots } from './shared-counts.ts';

export class TargetSlots {
  private readonly slots: Slots;
  private readonly taken = new Map<string, number>();

  constructor(slots: Slots) {
    this.slots = slots;
  }

  /** Null where it has no cap, or there is no slot left. */
  of({ id, max }: Target): number | null {
    const known = this.taken.get(id);
    if (known !== undefined || max === null) return known ?? null;
    const slot = this.slots.take();
    if (slot !== null) this.taken.set(id, slot);
    return slot;
  }

  /** Gives back what belongs to targets that are not among these. */
  keep(ids: ReadonlySet<string>): void {
    for (const [id, slot] of this.taken) {
      if (ids.has(id)) continue;
      this.taken.delete(id);
      this.slots.give(slot);
    }
  }
}
