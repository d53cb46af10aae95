// Those that a listener serves at the moment: a look at each every so often, and the wait until the last has left.

/** Looks this often within the shortest time, so that who is quiet stays at most a quarter longer than it says. */
const looksPerTime = 4;
const longestPeriodMs = 5000;

export class Present<One> {
  private readonly all = new Set<One>();
  private readonly shortest: () => number;
  private readonly look: (all: Iterable<One>) => void;
  private timer: NodeJS.Timeout | undefined;
  private period = 0;
  private readonly waiting: (() => void)[] = [];

  /** `shortest`: the shortest time that `look` watches over, in milliseconds; asked again by `retime`. */
  constructor(shortest: () => number, look: (all: Iterable<One>) => void) {
    this.shortest = shortest;
    this.look = look;
  }

  get size(): number {
    return this.all.size;
  }

  /** Who leaves meanwhile is left out. */
  [Symbol.iterator](): Iterator<One> {
    return this.all.values();
  }

  add(one: One): void {
    this.all.add(one);
    if (!this.timer) this.retime();
  }

  remove(one: One): void {
    this.all.delete(one);
    if (this.all.size > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
    for (const resolve of this.waiting.splice(0)) resolve();
  }

  /** The times may have changed. A period that stays is not begun anew, or changes in a row would put every look off. */
  retime(): void {
    const period = Math.min(longestPeriodMs, Math.max(1, this.shortest() / looksPerTime));
    if (this.all.size === 0 || (this.timer && period === this.period)) return;
    clearInterval(this.timer);
    this.period = period;
    this.timer = setInterval(() => this.look(this.all), period).unref();
  }

  async empty(): Promise<void> {
    if (this.all.size > 0) await new Promise<void>((resolve) => this.waiting.push(resolve));
  }
}
