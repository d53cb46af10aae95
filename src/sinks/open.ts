// Opens the sink that a configuration describes.
import path from 'node:path';
import type { Writable } from 'node:stream';
import { errorCode, errorMessage, ReeveError } from '../core/errors.ts';
import { openFile, type Rotation } from './file.ts';
import { LineQueue } from './line-queue.ts';
import type { Sink } from './sink.ts';
import { streamDestination } from './stdout.ts';

/** The part of the configuration's schema that is used here; rotation counts for a file alone. */
export interface SinkConfig {
  file?: string | undefined;
  stdout?: true | undefined;
  rotate: Rotation;
}

/**
 * `folder` is what a relative file name starts from. Rejects with `privilege` or `config` where the file cannot be
 * opened: better at the start than with the first record.
 */
export async function openSink(
  name: string,
  config: SinkConfig,
  folder: string,
  stdout: Writable,
): Promise<Sink> {
  if (config.file === undefined) return new LineQueue(name, streamDestination(stdout));
  const file = path.resolve(folder, config.file);
  try {
    return new LineQueue(name, await openFile(file, config.rotate));
  } catch (error) {
    const code = errorCode(error);
    throw new ReeveError(
      code === 'EACCES' || code === 'EPERM' ? 'privilege' : 'config',
      `sink '${name}' cannot open ${file}: ${errorMessage(error)}`,
      { cause: error },
    );
  }
}
