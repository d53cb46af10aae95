// A file that lines are appended to, rotated by size: events.jsonl, then events.jsonl.1 (newest) … .N (oldest).
import { type FileHandle, mkdir, open, rename } from 'node:fs/promises';
import path from 'node:path';
import { errorCode } from '../core/errors.ts';
import type { Destination } from './line-queue.ts';

export interface Rotation {
  /** Bytes. */
  size: number;
  keep: number;
}

const newline = 0x0a;

/** Makes the folder where it is missing. Rejects with the system's error where the file cannot be opened. */
export async function openFile(file: string, rotation: Rotation): Promise<Destination> {
  await mkdir(path.dirname(file), { recursive: true });
  const destination = new RotatedFile(file, rotation);
  await destination.reopen();
  return destination;
}

class RotatedFile implements Destination {
  readonly kind = 'file';
  private readonly file: string;
  private readonly rotation: Rotation;
  /** Null after a rotation that failed half-way: the next batch opens it again. */
  private handle: FileHandle | null = null;
  private size = 0;

  constructor(file: string, rotation: Rotation) {
    this.file = file;
    this.rotation = rotation;
  }

  async room(firstLine: number): Promise<number> {
    if (!this.handle) await this.reopen();
    if (this.size > 0 && this.size + firstLine > this.rotation.size) await this.rotate();
    return this.rotation.size - this.size;
  }

  async write(bytes: Buffer): Promise<number> {
    const { bytesWritten } = await this.handle!.write(bytes);
    this.size += bytesWritten;
    return bytesWritten;
  }

  async close(): Promise<void> {
    const { handle } = this;
    this.handle = null;
    await handle?.close();
  }

  async reopen(): Promise<void> {
    // Reading is needed to look at the last byte; in append mode every write goes to the end.
    const handle = await open(this.file, 'a+', 0o640);
    try {
      this.size = (await handle.stat()).size;
      // A process that was killed may have left half a line: do not glue the next one to it.
      const last = Buffer.alloc(1, newline);
      if (this.size > 0) await handle.read(last, 0, 1, this.size - 1);
      if (last[0] !== newline) this.size += (await handle.write('\n')).bytesWritten;
    } catch (error) {
      await handle.close();
      throw error;
    }
    this.handle = handle;
  }

  private async rotate(): Promise<void> {
    await this.close();
    for (let number = this.rotation.keep - 1; number >= 0; number--) {
      const from = number === 0 ? this.file : `${this.file}.${number}`;
      // The oldest is replaced by the rename itself.
      await rename(from, `${this.file}.${number + 1}`).catch((error) => {
        if (errorCode(error) !== 'ENOENT') throw error;
      });
    }
    await this.reopen();
  }
}
