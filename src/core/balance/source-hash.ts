// Sends a client to the same target each time, and moves as few clients as can be when targets come and go. No I/O.

interface Hashed {
  target: { id: string; weight: number };
}

/** Clients fall into so many classes, each of which has its target: a pick is one look into a table. */
const classes = 16_384;
const unknown = 0xffff;

/**
 * Weighted rendezvous: for each class every target draws a number, and the highest has it. A target that goes gives up its
 * own classes alone, one that comes takes only what is its share, and targets with the same id draw alike in every process.
 */
export class HashRing {
  private entries: readonly Hashed[] | null = null;
  private readonly winners = new Uint16Array(classes);
  private seeds: number[] = [];

  pick<Entry extends Hashed>(entries: Entry[], client: string): Entry {
    if (entries !== this.entries) {
      this.entries = entries;
      this.seeds = entries.map(({ target }) => hashOf(target.id));
      this.winners.fill(unknown);
    }
    const at = hashOf(client) % classes;
    if (this.winners[at] === unknown) this.winners[at] = this.winner(entries, at);
    return entries[this.winners[at]!]!;
  }

  private winner(entries: readonly Hashed[], at: number): number {
    let best = 0;
    let highest = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < entries.length; i++) {
      // −w / ln(u) with u uniform in (0, 1): the odds of the highest are exactly the weights (Schindelhauer, Schomaker).
      const draw = (mix(this.seeds[i]! ^ Math.imul(at + 1, 0x9e3779b1)) + 0.5) / 2 ** 32;
      const score = -entries[i]!.target.weight / Math.log(draw);
      if (score <= highest) continue;
      highest = score;
      best = i;
    }
    return best;
  }
}

/** FNV-1a, then stirred: the low bits of addresses that differ in one digit differ too. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return mix(hash);
}

/** The finalizer of MurmurHash3: every bit of the input changes about half of the output. */
function mix(value: number): number {
  let hash = value >>> 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
