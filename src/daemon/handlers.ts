// The handlers that listeners name: a pool of threads each, made anew where the file or its settings have changed.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import type { ListenerConfig } from '../config/index.ts';
import type { Context } from '../core/context.ts';
import { ReeveError } from '../core/errors.ts';
import { type HandlerConfig, HandlerPool, handlerDigest } from '../listen/index.ts';
import type { Prepared } from './prepared.ts';

export interface PreparedHandlers extends Prepared {
  /** Listeners whose handler is another, by its settings or by what its files hold. */
  changed: string[];
}

export interface HandlerRoom {
  /** The handler of a listener, committed or being prepared. */
  get(listener: string): HandlerPool;
  prepare(configs: Record<string, ListenerConfig>, folder: string): Promise<PreparedHandlers>;
  close(): Promise<void>;
}

interface Row {
  config: HandlerConfig;
  digest: string;
  pool: HandlerPool;
}

/** Calls of a thread at once: frames one by one, so that one that hangs hurts nobody; connections live long. */
const concurrency = { frames: 1, connections: 256 };

export function createHandlerRoom(context: Context): HandlerRoom {
  let rows = new Map<string, Row>();
  const read = async (name: string, config: ListenerConfig, folder: string): Promise<Row | null> => {
    if (!config.handler) return null;
    const usual = config.frame === undefined ? concurrency.connections : concurrency.frames;
    const wanted: HandlerConfig = {
      ...config.handler,
      file: path.resolve(folder, config.handler.file),
      concurrency: config.handler.concurrency ?? usual,
    };
    const digest = await handlerDigest(wanted.file);
    const row = rows.get(name);
    if (row && row.digest === digest && isDeepStrictEqual(row.config, wanted)) return row;
    return { config: wanted, digest, pool: await HandlerPool.open(name, wanted, program(), context) };
  };
  return {
    get: (listener) => rows.get(listener)!.pool,
    async prepare(configs, folder) {
      const next = new Map<string, Row>();
      const made = () => [...next].filter(([name, row]) => rows.get(name) !== row);
      const abandon = async () => void (await Promise.all(made().map(([, { pool }]) => pool.retire())));
      try {
        for (const [name, config] of Object.entries(configs)) {
          const row = await read(name, config, folder);
          if (row) next.set(name, row);
        }
      } catch (error) {
        await abandon();
        throw error;
      }
      return {
        changed: made().map(([name]) => name),
        abandon,
        commit() {
          const leaving = [...rows].filter(([name, row]) => next.get(name) !== row);
          rows = next;
          return {
            retire: async () => void (await Promise.all(leaving.map(([, { pool }]) => pool.retire()))),
          };
        },
      };
    },
    async close() {
      await Promise.all([...rows.values()].map(({ pool }) => pool.retire()));
    },
  };
}

/** The threads' program: beside the bundle or above its chunks; in a checkout, of the last build. */
function program(): string {
  const places = ['./handler-thread.js', '../handler-thread.js', '../../dist/handler-thread.js'];
  const files = places.map((place) => fileURLToPath(new URL(place, import.meta.url)));
  const found = files.find((file) => existsSync(file));
  if (found) return found;
  throw new ReeveError('config', 'the program of handler threads is missing: it comes with the build', {
    hint: 'Run npm run build',
  });
}
