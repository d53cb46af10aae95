// Opens the sink that a configuration describes.
import path from 'node:path';
import type { Writable } from 'node:stream';
import type { Context } from '../core/context.ts';
import { errorCode, errorMessage, ReeveError } from '../core/errors.ts';
import { type Fsync, openFile } from './file.ts';
import { LineQueue } from './line-queue.ts';
import type { NatsOptions } from './nats/index.ts';
import type { Rotation } from './rotate.ts';
import type { Sink } from './sink.ts';
import { streamDestination } from './stdout.ts';

/** The part of the configuration's schema that is used here; rotation and syncing count for a file alone. */
export interface SinkConfig {
  file?: string | undefined;
  rotate: Rotation;
  fsync: Fsync;
  nats?: string[] | undefined;
  stream?: string | undefined;
  subject?: string | undefined;
  deduplicate?: number | undefined;
  spool?: { size: number } | undefined;
  token?: string | undefined;
  user?: string | undefined;
  password?: string | undefined;
  credentials?: string | undefined;
  tls?: NatsOptions['tls'];
  stdout?: true | undefined;
}

export interface Sharing {
  readonly isAlone: boolean;
  untilAlone(): Promise<void>;
}

export interface SinkPlace {
  /** What a relative file name starts from. */
  folder: string;
  stateFolder: string;
  stdout: Writable;
  /** For the time of an upgrade another daemon has the same files. Absent: never. */
  company?: Sharing;
  context: Context;
}

/**
 * Opened, not started. Rejects with `privilege` or `config` where the file cannot be opened: better at the start than
 * with the first record.
 */
export async function openSink(name: string, config: SinkConfig, place: SinkPlace): Promise<Sink> {
  const { folder, stdout, context, company } = place;
  if (config.nats) return openNats(name, config, config.nats, place);
  if (config.file === undefined) return new LineQueue(name, streamDestination(stdout), context);
  const file = path.resolve(folder, config.file);
  try {
    return new LineQueue(
      name,
      await openFile(file, config.rotate, {
        fsync: config.fsync,
        log: context.log,
        isAlone: () => company?.isAlone ?? true,
      }),
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

/** Nothing is asked of NATS yet: it may be away, also when the daemon starts. */
async function openNats(
  name: string,
  config: SinkConfig,
  servers: string[],
  place: SinkPlace,
): Promise<Sink> {
  const { NatsDestination, natsLabels } = await import('./nats/index.ts');
  const file = (named: string | undefined) => named && path.resolve(place.folder, named);
  const { stream = '', subject = 'intake.{listener}', deduplicate = 120_000, tls } = config;
  const { token, user, password, credentials } = config;
  const options: NatsOptions = {
    ...{ servers, stream, subject, deduplicate, token, user, password },
    credentials: file(credentials),
    tls: tls && { ca: file(tls.ca), cert: file(tls.cert), key: file(tls.key) },
  };
  const spool = path.join(place.stateFolder, 'spool', name);
  const limit = config.spool?.size ?? 64_000_000;
  const destination = new NatsDestination(
    name,
    options,
    { folder: spool, limit, free: place.company?.untilAlone() },
    place.context,
  );
  const { encode, relabel } = natsLabels(subject);
  return new LineQueue(name, destination, place.context, encode, relabel);
}
