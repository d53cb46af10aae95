// A file that lines are appended to, put aside by size and age: events.jsonl, then events.jsonl.1 (newest) … .N (oldest).
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import path from 'node:path';
import { type Log, silentLog, systemClock } from '../core/context.ts';
import { errorMessage } from '../core/errors.ts';
import type { Destination } from './line-queue.ts';
import { putAside, type Rotation } from './rotate.ts';

/** When what was written is forced to the disk: never by us, within a second, or before it counts as delivered. */
export type Fsync = 'none' | 'interval' | 'every';

export interface FileOptions {
  fsync?: Fsync;
  log?: Log;
  /** Whether no other process writes it: while one does, neither puts the file aside. Default: nobody does. */
  isAlone?: () => boolean;
}

const newline = 0x0a;
const syncEvery = 1000;
/** Bytes of a batch while the file's bound does not count. */
const sharedBatch = 1024 * 1024;

/** Makes the folder where it is missing. Rejects with the system's error where the file cannot be opened. */
export async function openFile(
  file: string,
  rotation: Rotation,
  { fsync = 'none', log = silentLog, isAlone = () => true }: FileOptions = {},
): Promise<Destination> {
  await mkdir(path.dirname(file), { recursive: true });
  const destination = new RotatedFile(file, rotation, { fsync, log, isAlone });
  await destination.reopen();
  return destination;
}

class RotatedFile implements Destination {
  readonly kind = 'file';
  private readonly file: string;
  private readonly rotation: Rotation;
  private readonly fsync: Fsync;
  private readonly log: Log;
  private readonly isAlone: () => boolean;
  /** Others have written it as well, so that its size is not what was counted here. */
  private shared = false;
  /** Null after a rotation that failed half-way: the next batch opens it again. */
  private handle: FileHandle | null = null;
  private size = 0;
  /** Wall-clock milliseconds. */
  private born = 0;
  private unsynced = false;
  private timer: NodeJS.Timeout | null = null;
  /** A failure of the timer's sync, told with the next batch. */
  private syncFailure: unknown = null;
  private compressing: Promise<void> = Promise.resolve();

  constructor(file: string, rotation: Rotation, { fsync, log, isAlone }: Required<FileOptions>) {
    this.file = file;
    this.rotation = rotation;
    this.fsync = fsync;
    this.log = log;
    this.isAlone = isAlone;
  }

  start(): void {
    if (this.fsync !== 'interval') return;
    this.timer = setInterval(() => void this.syncLate(), syncEvery).unref();
  }

  async room(firstLine: number): Promise<number> {
    if (!this.handle) await this.reopen();
    if (!this.isAlone()) {
      this.shared = true;
      return Math.max(firstLine, sharedBatch);
    }
    if (this.shared) this.size = (await this.handle!.stat()).size;
    this.shared = false;
    const { size, age } = this.rotation;
    const old = age !== undefined && systemClock.wall() - this.born >= age;
    if (this.size > 0 && (old || this.size + firstLine > size)) await this.rotate();
    return size - this.size;
  }

  async write(bytes: Buffer): Promise<number> {
    if (this.syncFailure) {
      const failure = this.syncFailure;
      this.syncFailure = null;
      throw failure;
    }
    const handle = this.handle!;
    const { bytesWritten } = await handle.write(bytes);
    if (this.fsync === 'every') {
      try {
        await handle.datasync();
      } catch (error) {
        // The kernel forgets pages that it could not write (fsync(2), NOTES), so that trying again proves nothing:
        // the batch is taken back, and written anew.
        if (!this.shared) await handle.truncate(this.size);
        throw error;
      }
    }
    this.unsynced = true;
    this.size += bytesWritten;
    return bytesWritten;
  }

  async close(): Promise<void> {
    if (this.timer) clearInterval(this.timer);
    await this.shut();
    await this.compressing;
  }

  private async shut(): Promise<void> {
    const { handle } = this;
    this.handle = null;
    if (!handle) return;
    try {
      if (this.fsync !== 'none' && this.unsynced) await handle.datasync();
    } finally {
      await handle.close();
    }
  }

  async reopen(): Promise<void> {
    // Reading is needed to look at the last byte; in append mode every write goes to the end.
    const handle = await open(this.file, 'a+', 0o640);
    try {
      const { size, birthtimeMs } = await handle.stat();
      this.size = size;
      // An empty file is as old as its first line will be; a file system without birth times tells 0.
      this.born = size > 0 && birthtimeMs > 0 ? birthtimeMs : systemClock.wall();
      // A process that was killed may have left half a line: do not glue the next one to it.
      const last = Buffer.alloc(1, newline);
      if (this.size > 0) await handle.read(last, 0, 1, this.size - 1);
      if (last[0] !== newline && this.isAlone()) this.size += (await handle.write('\n')).bytesWritten;
    } catch (error) {
      await handle.close();
      throw error;
    }
    this.handle = handle;
  }

  private async rotate(): Promise<void> {
    // Two at once would rename the file that is being compressed.
    await this.compressing;
    await this.shut();
    const compress = await putAside(this.file, this.rotation);
    this.compressing = compress().catch((error) =>
      this.log.warn({ file: this.file, error: errorMessage(error) }, 'a rotated file stays as it is'),
    );
    await this.reopen();
  }

  private async syncLate(): Promise<void> {
    if (!this.handle || !this.unsynced) return;
    this.unsynced = false;
    await this.handle.datasync().catch((error) => {
      // EBADF: it was closed meanwhile, which has synced it.
      if ((error as NodeJS.ErrnoException).code !== 'EBADF') this.syncFailure = error;
    });
  }
}
