// What an instance prints: kept in its file, shown in the daemon's log as lines, both bounded in rate.
import path from 'node:path';
import type { Readable } from 'node:stream';
import type { ServiceConfig } from '../config/index.ts';
import type { Log } from '../core/context.ts';
import { plural } from '../core/text.ts';
import { Allowance } from './allowance.ts';
import { readLines } from './lines.ts';
import { LogFile } from './log-file.ts';
import { recoded } from './recode.ts';
import type { SuperviseDeps } from './status.ts';

export type OutputStream = 'stdout' | 'stderr';

/** Bytes. A program that prints more than this has to wait, as it would for a slow terminal. */
const byteRate = { perSecond: 4 * 1024 * 1024, burst: 8 * 1024 * 1024 };
/** Lines that reach the daemon's log; the file has all of them. */
const lineRate = { perSecond: 200, burst: 1000 };
/** Bytes of an unfinished line that wait for its end, so that the two streams do not mix within a line. */
const longestRest = 64 * 1024;

type OutputDeps = Pick<SuperviseDeps, 'context' | 'logs' | 'isAlone' | 'encoding'>;

function logFile(folder: string, instance: string): string {
  return path.join(folder, `${instance.replace('/', '.')}.log`);
}

const nothing = Buffer.alloc(0);

export class Output {
  readonly #name: string;
  readonly #log: Log;
  readonly #file: LogFile | null;
  readonly #bytes = new Allowance(byteRate);
  readonly #lines = new Allowance(lineRate);
  readonly #usual: string;
  #echo: boolean;
  #encoding: string;
  #unseen = 0;

  /** `user-api/0` is kept in `user-api.0.log`. */
  constructor(
    instance: string,
    { context, logs, isAlone, encoding = 'utf-8' }: OutputDeps,
    { echo, rotate, encoding: own }: ServiceConfig['logs'],
  ) {
    this.#name = instance;
    this.#log = context.log;
    this.#usual = encoding;
    this.#encoding = own;
    this.#echo = echo;
    this.#file = logs === null ? null : new LogFile(logFile(logs, instance), rotate, context.log, isAlone);
  }

  /** The encoding is that of the next start. */
  adjust({ echo, rotate, encoding }: ServiceConfig['logs']): void {
    this.#encoding = encoding;
    this.#echo = echo;
    this.#file?.rotateBy(rotate);
  }

  attach(stream: OutputStream, printed: Readable): void {
    this.#file?.open();
    const readable = recoded(printed, this.#encoding === 'auto' ? this.#usual : this.#encoding);
    let rest: Buffer = nothing;
    let timer: NodeJS.Timeout | undefined;
    readable.on('data', (chunk: Buffer) => {
      const all = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
      const end = all.length > longestRest ? all.length : all.lastIndexOf(0x0a) + 1;
      rest = all.subarray(end);
      const hasRoom = this.#file?.write(all.subarray(0, end)) ?? true;
      const debt = this.#bytes.take(chunk.length);
      if (debt === 0 && hasRoom) return;
      readable.pause();
      if (debt > 0) timer = setTimeout(() => readable.resume(), debt);
      else void this.#file!.room().then(() => readable.resume());
    });
    const finish = () => {
      clearTimeout(timer);
      if (rest.length > 0) this.#file?.write(Buffer.concat([rest, Buffer.from('\n')]));
      rest = nothing;
    };
    readable.once('end', finish);
    readable.once('close', finish);
    readLines(readable, (text) => this.#show(stream, text));
  }

  close(): Promise<void> {
    return this.#file?.close() ?? Promise.resolve();
  }

  #show(stream: OutputStream, text: string): void {
    if (!this.#echo) return;
    if (!this.#lines.tryTake(1)) {
      this.#unseen += 1;
      return;
    }
    if (this.#unseen > 0) {
      const words = `${plural(this.#unseen, 'line')} not shown: more than ${lineRate.perSecond} a second`;
      this.#log.warn({ instance: this.#name }, `${this.#name}: ${words}; see reeve logs ${this.#name}`);
      this.#unseen = 0;
    }
    this.#log.info({ instance: this.#name, stream }, `${this.#name}: ${text}`);
  }
}
