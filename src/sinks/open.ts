// Opens the sink that a configuration describes.
import path from 'node:path';
import type { Writable } from 'node:stream';
import type { Context } from '../core/context.ts';
import { errorCode, errorMessage, ReeveError } from '../core/errors.ts';
import { type Fsync, openFile } from './file.ts';
import { LineQueue } from './line-queue.ts';
import type { Rotation } from './rotate.ts';
import type { Sink } from './sink.ts';
import { streamDestination } from './stdout.ts';

/** The part of the configuration's schema that is used here; rotation and syncing count for a file alone. */
export interface SinkConfig {
  file?: string | undefined;
  rotate: Rotation;
  fsync: Fsync;
  stdout?: true | undefined;
}

export interface SinkPlace {
  /** What a relative file name starts from. */
  folder: string;
  stdout: Writable;
  context: Context;
}

/**
 * Opened, not started. Rejects with `privilege` or `config` where the file cannot be opened: better at the start than
 * with the first record.
 */
export async function openSink(name: string, config: SinkConfig, place: SinkPlace): Promise<Sink> {
  const { folder, stdout, context } = place;
  if (config.file === undefined) return new LineQueue(name, streamDestination(stdout), context);
  const file = path.resolve(folder, config.file);
  try {
    return new LineQueue(
      name,
      await openFile(file, config.rotate, { fsync: config.fsync, log: context.log }),
      context,
    );
  } catch (error) {
    const code = errorCode(error);
    throw new ReeveError(
      code === 'EACCES' || code === 'EPERM' ? 'privilege' : 'config',
      `sink '${name}' cannot open ${file}: ${errorMessage(error)}`,
      { cause: error },
    );
  }
}
