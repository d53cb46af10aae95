// The daemon's log: JSON lines on stderr, or a readable form of them where a person is watching.
import { isatty } from 'node:tty';
import pino from 'pino';
import type { Log } from '../core/context.ts';
import { ReeveError } from '../core/errors.ts';
import { GatheredLines } from './gathered-lines.ts';

export interface DaemonLog extends Log {
  /** Writes out what is still in memory. */
  flush(): void;
}

/** Where lines go that stderr does not get. */
export interface LogTarget {
  write(line: string): void;
}

const levels = ['debug', 'info', 'warn', 'error', 'silent'];

/** @throws ReeveError `usage` for an unknown level. */
export async function createLog(
  wanted: { level?: string | undefined; terminal?: boolean; to?: LogTarget | undefined } = {},
): Promise<DaemonLog> {
  const level = wanted.level ?? 'info';
  if (!levels.includes(level)) {
    throw new ReeveError('usage', `'${level}' is not a log level: accepted are ${levels.join(', ')}`);
  }
  const stderr = 2;
  if (!wanted.to && (wanted.terminal ?? isatty(stderr))) {
    const { default: pretty } = await import('pino-pretty');
    const readable = pretty({ destination: stderr, sync: true, ignore: 'pid,hostname' });
    return Object.assign(pino({ level }, readable) as Log, { flush() {} });
  }
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  if (wanted.to) return Object.assign(pino(options, wanted.to) as Log, { flush() {} });
  // Not sync: the event loop does not wait for whoever reads stderr.
  const stream = pino.destination({ dest: stderr, sync: false });
  // Whoever read the log is gone: that must not end what the daemon serves.
  stream.on('error', () => {});
  const gathered = new GatheredLines((lines) => stream.write(lines));
  const log: Log = pino(options, gathered);
  return Object.assign(log, {
    flush() {
      gathered.flush();
      stream.flushSync();
    },
  });
}
