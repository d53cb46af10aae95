// The bytes that an instance prints, appended to a file in order and rotated. Whoever writes too fast is held back.
import type { Log } from '../core/context.ts';
import { errorMessage } from '../core/errors.ts';
import { type Destination, openFile, type Rotation } from '../sinks/index.ts';

/** Bytes that may wait for the disk; with more the program has to wait. */
const mostQueued = 1024 * 1024;
/** Milliseconds after a failed write (a full disk) until the file is tried again; what comes meanwhile is lost. */
const retryAfter = 5000;

const newline = 0x0a;

export class LogFile {
  readonly #file: string;
  readonly #log: Log;
  readonly #isAlone: () => boolean;
  #rotation: Rotation;
  #destination: Destination | null = null;
  #queue: Buffer[] = [];
  #queued = 0;
  #writing: Promise<void> | null = null;
  #brokenUntil = 0;
  #waiting: (() => void)[] = [];
  #stale = false;

  constructor(file: string, rotation: Rotation, log: Log, isAlone: () => boolean = () => true) {
    this.#file = file;
    this.#rotation = rotation;
    this.#log = log;
    this.#isAlone = isAlone;
  }

  /** There is a file to follow before the first word is in it. */
  open(): void {
    this.#writing ??= this.#run();
  }

  /** Takes whole lines. False: wait for `room` before writing more. */
  write(bytes: Buffer): boolean {
    if (bytes.length === 0 || performance.now() < this.#brokenUntil) return true;
    this.#queue.push(bytes);
    this.#queued += bytes.length;
    this.#writing ??= this.#run();
    return this.#queued < mostQueued;
  }

  room(): Promise<void> {
    if (this.#queued < mostQueued) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** From the next write on. */
  rotateBy(rotation: Rotation): void {
    this.#rotation = rotation;
    this.#stale = true;
  }

  /** Writes what it has taken. It may be written to again. */
  async close(): Promise<void> {
    await this.#writing;
    await this.#leave();
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    // Chunks of the same turn go out together.
    await null;
    do {
      const batch = this.#queue.length === 1 ? this.#queue[0]! : Buffer.concat(this.#queue);
      this.#queue = [];
      await this.#append(batch).catch((error) => this.#failed(error));
      this.#queued -= batch.length;
      for (const resolve of this.#waiting.splice(0)) resolve();
    } while (this.#queue.length > 0);
    this.#writing = null;
  }

  async #append(batch: Buffer): Promise<void> {
    if (this.#stale) await this.#leave();
    this.#stale = false;
    this.#destination ??= await openFile(this.#file, this.#rotation, { isAlone: this.#isAlone });
    for (let rest = batch; rest.length > 0; ) {
      const room = await this.#destination.room(firstLine(rest));
      let piece = rest.subarray(0, wholeLines(rest, room));
      rest = rest.subarray(piece.length);
      while (piece.length > 0) piece = piece.subarray(await this.#destination.write(piece));
    }
  }

  async #failed(error: unknown): Promise<void> {
    this.#brokenUntil = performance.now() + retryAfter;
    this.#log.error({ file: this.#file }, `output is not kept: ${errorMessage(error)}`);
    await this.#leave();
  }

  async #leave(): Promise<void> {
    const destination = this.#destination;
    this.#destination = null;
    await destination?.close().catch(() => {});
  }
}

function firstLine(bytes: Buffer): number {
  return bytes.indexOf(newline) + 1 || bytes.length;
}

/** As many whole lines as there is room for, at least one: a line that is longer than a file may be goes over. */
function wholeLines(bytes: Buffer, room: number): number {
  if (bytes.length <= room) return bytes.length;
  const end = room > 0 ? bytes.lastIndexOf(newline, room - 1) + 1 : 0;
  return end || firstLine(bytes);
}
