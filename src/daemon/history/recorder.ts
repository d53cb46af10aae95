// Looks at the status every second, and keeps what it saw: finely for minutes, coarsely for a month.
import type { Clock, Log } from '../../core/context.ts';
import { errorMessage } from '../../core/errors.ts';
import type { Rings, Sample, Tier } from '../../store/index.ts';
import type { DaemonStatus } from '../status.ts';
import { merge, sampleOf, type Usage } from './series.ts';

/** 10 minutes, 2 hours, 24 hours, 30 days. */
export const tiers = [
  { step: 1, slots: 600 },
  { step: 10, slots: 720 },
  { step: 60, slots: 1440 },
  { step: 1800, slots: 1440 },
] as const satisfies readonly Tier[];

export interface Seen {
  /** Seconds since the epoch. */
  at: number;
  status: DaemonStatus;
  sample: Sample;
}

export interface Recorder {
  /** Called after each look. Returns how to stop listening. */
  onSeen(listener: (seen: Seen) => void): () => void;
  /** The newest look; null before the first. */
  last(): Seen | null;
  /** Oldest first, from `from` on (seconds since the epoch). */
  read(tier: Tier, from: number): { at: number; sample: Sample }[];
  usage(): ReadonlyMap<string, Usage>;
  /** Writes what is not written yet. */
  close(): void;
}

export interface RecorderParts {
  clock: Clock;
  log: Log;
  /** Null: nothing outlasts this process, and only what was not written yet can be read. */
  rings: Rings | null;
  status(): DaemonStatus;
  usage(status: DaemonStatus): ReadonlyMap<string, Usage>;
}

/** Seconds between writes: one transaction of a dozen rows, and what a power failure may take. */
const flushEvery = 10;

/** Where the disk refuses, this many rows stay in memory (the finest tier's length) and the oldest go. */
const maxPending = 700;

interface Row {
  tier: Tier;
  at: number;
  sample: Sample;
}

export function createRecorder(parts: RecorderParts): Recorder {
  const { clock, log, rings } = parts;
  const listeners = new Set<(seen: Seen) => void>();
  /** What the next slot of each coarser tier is made of. */
  const gathering = tiers.map(() => ({ slot: -1, samples: [] as Sample[] }));
  let pending: Row[] = [];
  let last: (Seen & { monotonic: number }) | null = null;
  let failed = false;
  let usage: ReadonlyMap<string, Usage> = new Map();

  /** A slot is told to the next tier when a later one begins: a tier gathers from the one before it. */
  const put = (level: number, at: number, sample: Sample) => {
    const tier = tiers[level];
    if (!tier) return;
    const slot = Math.floor(at / tier.step);
    if (gathering[level]!.slot !== slot && gathering[level]!.samples.length > 0) finish(level);
    const place = gathering[level]!;
    place.slot = slot;
    place.samples.push(sample);
  };
  const finish = (level: number) => {
    const { slot, samples } = gathering[level]!;
    const tier = tiers[level]!;
    gathering[level] = { slot: -1, samples: [] };
    const at = slot * tier.step;
    const merged = samples.length === 1 ? samples[0]! : merge(samples);
    pending.push({ tier, at, sample: merged });
    put(level + 1, at, merged);
  };
  const flush = () => {
    if (pending.length === 0) return;
    if (!rings) {
      pending = pending.slice(-maxPending);
      return;
    }
    try {
      rings.write(pending);
      pending = [];
      failed = false;
    } catch (error) {
      if (!failed) log.warn({ error: errorMessage(error) }, 'cannot write the history of charts');
      failed = true;
      pending = pending.slice(-maxPending);
    }
  };
  const look = () => {
    const status = parts.status();
    const monotonic = clock.monotonic();
    const at = Math.floor(clock.wall() / 1000);
    usage = parts.usage(status);
    const seconds = last ? (monotonic - last.monotonic) / 1000 : 0;
    const sample = sampleOf(status, last?.status ?? null, seconds, usage);
    last = { at, status, sample, monotonic };
    put(0, at, sample);
    if (at % flushEvery === 0) flush();
    for (const listener of listeners) listener(last);
  };
  // A slot that an earlier run of the daemon began is gathered anew from the finer tier, which still has its samples.
  for (const [level, place] of gathering.entries()) {
    const [tier, finer] = [tiers[level]!, tiers[level - 1]];
    if (!rings || !finer) continue;
    place.slot = Math.floor(clock.wall() / 1000 / tier.step);
    place.samples = rings.read(finer, place.slot * tier.step).map(({ sample }) => sample);
  }
  const timer = setInterval(look, 1000);
  timer.unref();

  return {
    onSeen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    last: () => last,
    read(tier, from) {
      const kept = rings?.read(tier, from) ?? [];
      const fresh = pending.filter((row) => row.tier === tier && row.at >= from);
      const rows = new Map([...kept, ...fresh].map(({ at, sample }) => [at, { at, sample }]));
      return [...rows.values()].sort((a, b) => a.at - b.at);
    },
    usage: () => usage,
    close() {
      clearInterval(timer);
      // The finest first: each finished slot goes on to the next tier, which is then unfinished itself.
      for (let level = 0; level < tiers.length; level++)
        if (gathering[level]!.samples.length > 0) finish(level);
      flush();
      rings?.close();
    },
  };
}
