// Lines that wait on disk, in order, in files of a few MiB; where reading has come to outlives the process.
import { type FileHandle, mkdir, open, readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';

const newline = 0x0a;
const ending = '.spool';

interface Segment {
  file: string;
  size: number;
}

/** Bounded: `append` takes nothing once `limit` bytes lie here. */
export class Spool {
  records = 0;
  /** Not yet read to the end of. */
  bytes = 0;
  private readonly folder: string;
  private readonly limit: number;
  private readonly segmentSize: number;
  private segments: Segment[] = [];
  private nextNumber = 1;
  /** How far the first segment was read. */
  private offset = 0;
  private writer: FileHandle | null = null;
  private reader: { file: string; handle: FileHandle } | null = null;
  private position: FileHandle | null = null;
  /** Reading to the end of a file removes it: never while a line is being added there. */
  private last: Promise<unknown> = Promise.resolve();

  constructor(folder: string, limit: number) {
    this.folder = folder;
    this.limit = limit;
    this.segmentSize = Math.min(8 * 1024 * 1024, Math.max(64 * 1024, limit / 8));
  }

  /** Finds what an earlier process has left. */
  async open(): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    const names = (await readdir(this.folder)).filter((name) => name.endsWith(ending)).sort();
    const read = await readFile(path.join(this.folder, 'position'), 'utf8').catch(() => '');
    const [at = '', offset = '0'] = read.trim().split(' ');
    for (const name of names) {
      const file = path.join(this.folder, name);
      this.nextNumber = Number.parseInt(name, 10) + 1;
      const content = await readFile(file);
      const start = name === at ? Number(offset) : 0;
      const end = content.lastIndexOf(newline) + 1;
      if (end <= start) {
        await rm(file);
        continue;
      }
      if (name === at) this.offset = start;
      this.segments.push({ file, size: end });
      this.bytes += end - start;
      for (
        let place = content.indexOf(newline, start);
        place >= 0;
        place = content.indexOf(newline, place + 1)
      )
        this.records += 1;
    }
    this.position = await open(path.join(this.folder, 'position'), 'w');
    await this.keepPosition();
  }

  /** Whole lines; false where there is no room. Rejects with nothing taken. */
  append(lines: Buffer): Promise<boolean> {
    return this.alone(() => this.add(lines));
  }

  /** The next whole lines, about `most` bytes of them and at least one; null where nothing is left. */
  read(most: number): Promise<Buffer | null> {
    return this.alone(() => this.first(most));
  }

  /** What was read has arrived: these lines are not needed any more. */
  advance(lines: Buffer): Promise<void> {
    return this.alone(() => this.pass(lines));
  }

  close(): Promise<void> {
    return this.alone(async () => {
      await this.closeWriter();
      await this.reader?.handle.close();
      await this.position?.close();
      this.reader = null;
      this.position = null;
    });
  }

  private alone<T>(work: () => Promise<T>): Promise<T> {
    const done = this.last.then(work);
    this.last = done.catch(() => {});
    return done;
  }

  private async add(lines: Buffer): Promise<boolean> {
    if (this.bytes + lines.length > this.limit) return false;
    let last = this.segments.at(-1);
    if (!this.writer || !last || last.size >= this.segmentSize) last = await this.begin();
    let written = 0;
    try {
      while (written < lines.length) {
        written += (await this.writer!.write(lines, written, undefined, last.size + written)).bytesWritten;
      }
    } catch (error) {
      await this.writer!.truncate(last.size).catch(() => {});
      throw error;
    }
    last.size += lines.length;
    this.bytes += lines.length;
    this.records += countLines(lines);
    return true;
  }

  private async first(most: number): Promise<Buffer | null> {
    const first = this.segments[0];
    if (!first) return null;
    if (this.reader?.file !== first.file) {
      await this.reader?.handle.close();
      this.reader = { file: first.file, handle: await open(first.file, 'r') };
    }
    const left = first.size - this.offset;
    for (let size = Math.min(most, left); ; size = Math.min(size * 4, left)) {
      const chunk = Buffer.allocUnsafe(size);
      const { bytesRead } = await this.reader.handle.read(chunk, 0, size, this.offset);
      const end = chunk.subarray(0, bytesRead).lastIndexOf(newline) + 1;
      if (end > 0) return chunk.subarray(0, end);
      if (size >= left) throw new Error(`${first.file} is damaged: it holds no whole line at ${this.offset}`);
    }
  }

  private async pass(lines: Buffer): Promise<void> {
    const first = this.segments[0]!;
    this.offset += lines.length;
    this.bytes -= lines.length;
    this.records -= countLines(lines);
    if (this.offset < first.size) {
      await this.keepPosition();
      return;
    }
    if (this.segments.length === 1) await this.closeWriter();
    this.segments.shift();
    this.offset = 0;
    await this.reader?.handle.close();
    this.reader = null;
    await rm(first.file, { force: true });
    await this.keepPosition();
  }

  private async begin(): Promise<Segment> {
    await this.closeWriter();
    const file = path.join(this.folder, `${String(this.nextNumber).padStart(12, '0')}${ending}`);
    this.writer = await open(file, 'wx', 0o600);
    this.nextNumber += 1;
    const segment = { file, size: 0 };
    this.segments.push(segment);
    return segment;
  }

  private async closeWriter(): Promise<void> {
    const { writer } = this;
    this.writer = null;
    await writer?.close();
  }

  /** A fixed width: one write overwrites the one before, whole. */
  private async keepPosition(): Promise<void> {
    const name = this.segments[0] ? path.basename(this.segments[0].file) : '-';
    await this.position?.write(`${name} ${this.offset}`.padEnd(48), 0);
  }
}

function countLines(lines: Buffer): number {
  let count = 0;
  for (let at = lines.indexOf(newline); at >= 0; at = lines.indexOf(newline, at + 1)) count += 1;
  return count;
}
