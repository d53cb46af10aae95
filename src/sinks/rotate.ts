// Putting a file aside: .1 is the newest, the oldest is removed; compressed on request.
import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { errorCode } from '../core/errors.ts';

export interface Rotation {
  /** Bytes. */
  size: number;
  /** Milliseconds since the file was begun; absent: however old. */
  age?: number | undefined;
  keep: number;
  gzip?: boolean | undefined;
}

/** Moves each file on by one, the file itself to .1. Returns how to compress that one, which may happen later. */
export async function putAside(file: string, { keep, gzip = false }: Rotation): Promise<() => Promise<void>> {
  for (const end of ['', '.gz']) await rm(`${file}.${keep}${end}`, { force: true });
  for (let number = keep - 1; number >= 1; number--) {
    // Either kind: gzip may have been turned on or off, or have failed for one of them.
    for (const end of ['', '.gz']) await move(`${file}.${number}${end}`, `${file}.${number + 1}${end}`);
  }
  await move(file, `${file}.1`);
  return () => (gzip ? compress(`${file}.1`) : Promise.resolve());
}

async function move(from: string, to: string): Promise<void> {
  await rename(from, to).catch((error) => {
    if (errorCode(error) !== 'ENOENT') throw error;
  });
}

/** Under another name until it is whole: a file that ends in .gz can be read. */
async function compress(file: string): Promise<void> {
  const partial = `${file}.gz.partial`;
  try {
    await pipeline(createReadStream(file), createGzip(), createWriteStream(partial, { mode: 0o640 }));
    await rename(partial, `${file}.gz`);
    await rm(file);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}
