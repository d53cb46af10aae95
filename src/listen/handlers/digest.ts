// What a handler consists of: its file and those it imports by relative names. A reload compares it.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';

const imports = /\b(?:from|import)\s*\(?\s*['"](\.{1,2}\/[^'"]+)['"]/g;
const mostFiles = 1000;

/** A file that cannot be read counts as empty: loading it will tell. */
export async function handlerDigest(file: string): Promise<string> {
  const hash = createHash('sha256');
  const seen = new Set([file]);
  for (const each of seen) {
    const text = await readFile(each, 'utf8').catch(() => '');
    hash.update(`${each}\0${text}\0`);
    for (const [, named] of text.matchAll(imports)) {
      if (seen.size < mostFiles) seen.add(path.resolve(path.dirname(each), named!));
    }
  }
  return hash.digest('hex');
}
