// The output that instances left in the state directory, read from the files: with the daemon running or not.
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { loadControl } from '../config/index.ts';
import { errorCode, ReeveError } from '../core/errors.ts';
import { sleep } from '../core/time.ts';
import { currentOwner, stateFolder } from '../store/index.ts';
import { LogTail } from './log-tail.ts';

export interface LogQuery {
  configFile?: string;
  env: NodeJS.ProcessEnv;
  service: string;
  /** All where absent. */
  instance?: number;
  /** How many of the last lines of each. */
  lines: number;
  /** Goes on with what is written, until the signal aborts. */
  follow: boolean;
}

export interface LogLine {
  /** `user-api/0`. */
  instance: string;
  /** Raw: strip it before it is shown. Bytes are UTF-8; what is not becomes U+FFFD. */
  text: string;
}

/** Milliseconds between looks for more. */
const pollEvery = 200;

/** @throws ReeveError `not-found` where no output is kept, `privilege` where it may not be read. */
export async function* readLogs(query: LogQuery, signal: AbortSignal): AsyncGenerator<LogLine> {
  const { folder, ...config } = await loadControl(query.configFile, query.env);
  const logs = path.join(stateFolder(config.state, folder, currentOwner(query.env)), 'logs');
  const tails = new Map<string, LogTail>();
  const first = await filesOf(logs, query);
  if (first.length === 0) throw await nothingKept(logs, query);
  try {
    for (const { instance, file } of first) {
      const tail = await LogTail.open(file);
      tails.set(instance, tail);
      for (const text of await tail.last(query.lines)) yield { instance, text };
    }
    while (query.follow && !signal.aborted) {
      for (const { instance, file } of await filesOf(logs, query)) {
        // One that has come with a larger number of instances: all of it is new.
        const tail = tails.get(instance) ?? (await LogTail.open(file));
        tails.set(instance, tail);
        for (const text of await tail.more()) yield { instance, text };
      }
      await sleep(pollEvery, signal).catch(() => {});
    }
  } finally {
    await Promise.all([...tails.values()].map((tail) => tail.close()));
  }
}

async function filesOf(
  folder: string,
  { service, instance }: Pick<LogQuery, 'service' | 'instance'>,
): Promise<{ instance: string; file: string }[]> {
  return (await kept(folder))
    .filter((one) => one.service === service && (instance === undefined || one.index === instance))
    .sort((a, b) => a.index - b.index)
    .map(({ index, name }) => ({ instance: `${service}/${index}`, file: path.join(folder, name) }));
}

async function kept(folder: string): Promise<{ service: string; index: number; name: string }[]> {
  try {
    return (await readdir(folder)).flatMap((name) => {
      const [, service, index] = /^([A-Za-z][A-Za-z0-9_-]*)\.(\d{1,3})\.log$/.exec(name) ?? [];
      return service === undefined ? [] : [{ service, index: Number(index), name }];
    });
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT') return [];
    if (code !== 'EACCES' && code !== 'EPERM') throw error;
    throw new ReeveError('privilege', `${folder} may not be read by this user`, {
      hint: 'Run it as the user that runs the daemon',
      cause: error,
    });
  }
}

async function nothingKept(
  folder: string,
  { service, instance }: Pick<LogQuery, 'service' | 'instance'>,
): Promise<ReeveError> {
  const name = instance === undefined ? service : `${service}/${instance}`;
  const known = [...new Set((await kept(folder)).map((one) => one.service))].join(', ');
  const others = known ? `there is that of ${known}` : 'no service has printed anything yet';
  return new ReeveError('not-found', `no output of '${name}' is kept in ${folder}: ${others}`, {
    hint: 'Name the configuration that the daemon was started with: -c FILE',
  });
}
