// The sinks that the configuration names. A listener keeps its handle while a reload changes what is behind it.
import { isDeepStrictEqual } from 'node:util';
import type { SinkConfig } from '../config/index.ts';
import {
  type DropReason,
  openSink,
  type Sink,
  type SinkCounters,
  type SinkPlace,
  type SinkRecord,
} from '../sinks/index.ts';
import type { Prepared } from './prepared.ts';
import type { SinkStatus } from './status.ts';

export interface SinkRoom {
  /** The handle of a sink that was committed, or is being prepared. */
  get(name: string): Sink;
  prepare(configs: Record<string, SinkConfig>, folder: string): Promise<Prepared>;
  status(): SinkStatus[];
  close(): Promise<void>;
}

export function createSinkRoom(parts: Omit<SinkPlace, 'folder'>): SinkRoom {
  const rows = new Map<string, { config: SinkConfig; handle: SinkHandle }>();
  /** What is in use or about to be: retiring, which may come late, leaves it alone. */
  let wanted: ReadonlySet<string> = new Set();
  return {
    get(name) {
      return rows.get(name)!.handle;
    },
    async prepare(configs, folder) {
      const opened = new Map<string, Sink>();
      const before = wanted;
      wanted = new Set([...before, ...Object.keys(configs)]);
      const abandon = async () => {
        wanted = before;
        await Promise.all([...opened.values()].map((sink) => sink.close()));
      };
      try {
        for (const [name, config] of Object.entries(configs)) {
          if (isDeepStrictEqual(rows.get(name)?.config, config)) continue;
          opened.set(name, await openSink(name, config, { ...parts, folder }));
        }
      } catch (error) {
        await abandon();
        throw error;
      }
      return {
        abandon,
        commit() {
          const leaving: Promise<void>[] = [];
          wanted = new Set(Object.keys(configs));
          for (const [name, sink] of opened) {
            const config = configs[name]!;
            const row = rows.get(name);
            if (row) leaving.push(row.handle.replace(sink));
            else sink.start();
            rows.set(name, { config, handle: row?.handle ?? new SinkHandle(sink) });
          }
          return {
            /** Only once no listener writes there any more. */
            async retire() {
              for (const [name, { handle }] of rows) {
                if (wanted.has(name)) continue;
                rows.delete(name);
                leaving.push(handle.close());
              }
              await Promise.all(leaving);
            },
          };
        },
      };
    },
    status: () =>
      [...rows.values()].map(({ handle }) => ({
        name: handle.name,
        kind: handle.kind,
        failure: handle.failure,
        note: handle.note,
        ...handle.counters(),
      })),
    async close() {
      await Promise.all([...rows.values()].map(({ handle }) => handle.close()));
    },
  };
}

class SinkHandle implements Sink {
  #sink: Sink;
  /** Of the sinks that were here before. */
  #earlier: SinkCounters = nothing;

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  get name(): string {
    return this.#sink.name;
  }

  get kind(): string {
    return this.#sink.kind;
  }

  get failure(): string | null {
    return this.#sink.failure;
  }

  get note(): string | null {
    return this.#sink.note;
  }

  start(): void {
    this.#sink.start();
  }

  drop(records: number, reason: DropReason): void {
    this.#sink.drop(records, reason);
  }

  write(record: SinkRecord): Promise<void> | undefined {
    return this.#sink.write(record);
  }

  writeLines(listener: string, lines: Buffer, count: number): Promise<void> | undefined {
    return this.#sink.writeLines(listener, lines, count);
  }

  counters(): SinkCounters {
    return sum(this.#earlier, this.#sink.counters());
  }

  close(): Promise<void> {
    return this.#sink.close();
  }

  /** From now on records go to `next`, which begins when the one before has delivered its own; resolves then. */
  async replace(next: Sink): Promise<void> {
    const before = this.#sink;
    this.#sink = next;
    try {
      await before.close();
    } finally {
      this.#earlier = sum(this.#earlier, before.counters());
      next.start();
    }
  }
}

const nothing: SinkCounters = {
  ...{ accepted: 0, delivered: 0, bytes: 0, spooled: 0, failures: 0, dropped: {} },
};

/** What lies on disk is the newer one's to tell: it has taken that over. */
function sum(a: SinkCounters, b: SinkCounters): SinkCounters {
  const dropped = { ...a.dropped };
  for (const [reason, count] of Object.entries(b.dropped) as [DropReason, number][]) {
    dropped[reason] = (dropped[reason] ?? 0) + count;
  }
  return {
    accepted: a.accepted + b.accepted,
    delivered: a.delivered + b.delivered,
    bytes: a.bytes + b.bytes,
    spooled: b.spooled,
    failures: a.failures + b.failures,
    dropped,
  };
}
