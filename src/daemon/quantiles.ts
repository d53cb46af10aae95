// P50 and P99 of what happened in the last minute, to ±5 %, in fixed memory: a logarithmic histogram a sixth of a minute.
import type { Quantiles } from './status.ts';

export interface QuantileWindow {
  /** On the hot path. Milliseconds. */
  observe(ms: number): void;
  /** Null where nothing was observed. */
  read(): Quantiles;
}

const parts = 6;
const partMs = 10_000;
/** 7 buckets an octave from a microsecond to 9 hours: each is 10 % wide. */
const perOctave = 7;
const least = 0.001;
const buckets = 35 * perOctave;

export function createQuantiles(now: () => number = () => performance.now()): QuantileWindow {
  const rings = Array.from({ length: parts }, () => ({ part: -1, counts: null as Uint32Array | null }));
  return {
    observe(ms) {
      const part = Math.floor(now() / partMs);
      const ring = rings[part % parts]!;
      ring.counts ??= new Uint32Array(buckets);
      if (ring.part !== part) {
        ring.counts.fill(0);
        ring.part = part;
      }
      ring.counts[bucketOf(ms)]! += 1;
    },
    read() {
      const oldest = Math.floor(now() / partMs) - parts;
      const fresh = rings.flatMap(({ part, counts }) => (part > oldest && counts ? [counts] : []));
      const sums = new Uint32Array(buckets);
      let total = 0;
      for (const counts of fresh) {
        for (let i = 0; i < buckets; i++) {
          sums[i]! += counts[i]!;
          total += counts[i]!;
        }
      }
      if (total === 0) return { p50: null, p99: null };
      return { p50: valueAt(sums, total * 0.5), p99: valueAt(sums, total * 0.99) };
    },
  };
}

function bucketOf(ms: number): number {
  const bucket = Math.floor(Math.log2(Math.max(ms, least) / least) * perOctave);
  return Math.min(buckets - 1, bucket);
}

/** The middle of the bucket in which the rank falls. */
function valueAt(counts: Uint32Array, rank: number): number {
  let seen = 0;
  for (let i = 0; i < buckets; i++) {
    seen += counts[i]!;
    if (seen >= rank) return Number((least * 2 ** ((i + 0.5) / perOctave)).toPrecision(3));
  }
  return 0;
}
