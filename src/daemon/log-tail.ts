// The end of a file that grows and is rotated: its last lines, then what is added.
import { type FileHandle, open } from 'node:fs/promises';
import { errorCode } from '../core/errors.ts';

const newline = 0x0a;
const block = 64 * 1024;
/** Bytes read back in search of the last lines. */
const furthestBack = 64 * 1024 * 1024;
/** Bytes read at once of what was added. */
const mostAtOnce = 1024 * 1024;

export class LogTail {
  readonly #file: string;
  #handle: FileHandle | null;
  #at = 0;
  #rest: Buffer = Buffer.alloc(0);

  private constructor(file: string, handle: FileHandle | null) {
    this.#file = file;
    this.#handle = handle;
  }

  static async open(file: string): Promise<LogTail> {
    return new LogTail(file, await openIfThere(file));
  }

  /** The last `count` lines, also of files that were put aside; `more` goes on behind them. */
  async last(count: number): Promise<string[]> {
    if (!this.#handle) return [];
    this.#at = (await this.#handle.stat()).size;
    const parts = [await back(this.#handle, this.#at, count)];
    for (let number = 1; linesIn(parts) < count && sizeOf(parts) < furthestBack; number++) {
      const older = await openIfThere(`${this.#file}.${number}`);
      if (!older) break;
      try {
        parts.unshift(await back(older, (await older.stat()).size, count - linesIn(parts)));
      } finally {
        await older.close();
      }
    }
    const lines = split(Buffer.concat(parts));
    return count === 0 ? [] : lines.slice(-count);
  }

  /** Whole lines that were added since. */
  async more(): Promise<string[]> {
    const lines = await this.#read();
    if (lines.length > 0 || !(await this.#isReplaced())) return lines;
    // Rotated: only now that nothing is left in the one before.
    const [rest, before] = [await this.#read(), this.#handle];
    this.#handle = await openIfThere(this.#file);
    this.#at = 0;
    await before?.close();
    return [...rest, ...(await this.#read())];
  }

  async close(): Promise<void> {
    await this.#handle?.close();
    this.#handle = null;
  }

  async #read(): Promise<string[]> {
    if (!this.#handle) return [];
    const { size } = await this.#handle.stat();
    if (size < this.#at) this.#at = 0;
    const bytes = Buffer.alloc(Math.min(size - this.#at, mostAtOnce));
    if (bytes.length === 0) return [];
    const { bytesRead } = await this.#handle.read(bytes, 0, bytes.length, this.#at);
    this.#at += bytesRead;
    const all = Buffer.concat([this.#rest, bytes.subarray(0, bytesRead)]);
    const end = all.length > mostAtOnce ? all.length : all.lastIndexOf(newline) + 1;
    this.#rest = all.subarray(end);
    return split(all.subarray(0, end));
  }

  async #isReplaced(): Promise<boolean> {
    const now = await openIfThere(this.#file);
    if (!now) return false;
    try {
      return !this.#handle || (await now.stat()).ino !== (await this.#handle.stat()).ino;
    } finally {
      await now.close();
    }
  }
}

/** Enough of the bytes before `end` to hold `count` lines. */
async function back(handle: FileHandle, end: number, count: number): Promise<Buffer> {
  const blocks: Buffer[] = [];
  let lines = 0;
  for (let at = end; at > 0 && lines <= count && end - at < furthestBack; ) {
    const size = Math.min(block, at);
    at -= size;
    const bytes = Buffer.alloc(size);
    const { bytesRead } = await handle.read(bytes, 0, size, at);
    blocks.unshift(bytes.subarray(0, bytesRead));
    lines += newlines(bytes);
  }
  return Buffer.concat(blocks);
}

function newlines(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(newline); at >= 0; at = bytes.indexOf(newline, at + 1)) count += 1;
  return count;
}

const linesIn = (parts: Buffer[]) => parts.reduce((sum, part) => sum + newlines(part), 0);
const sizeOf = (parts: Buffer[]) => parts.reduce((sum, part) => sum + part.length, 0);

function split(bytes: Buffer): string[] {
  if (bytes.length === 0) return [];
  const text = bytes.toString('utf8');
  return (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n');
}

async function openIfThere(file: string): Promise<FileHandle | null> {
  try {
    return await open(file, 'r');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
}
