// The dashboard's files, read once into memory with their compressed forms: a fixed list, so no request names a path.
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export interface WebFile {
  type: string;
  etag: string;
  /** Its name holds a hash of its content: it never changes. */
  immutable: boolean;
  /** By content coding; `identity` is always there. */
  bodies: ReadonlyMap<Coding, Buffer>;
}

export type Coding = 'br' | 'gzip' | 'identity';

const codings: [Coding, string][] = [
  ['identity', ''],
  ['gzip', '.gz'],
  ['br', '.br'],
];

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** By path (`/`, `/assets/x.js`); empty where the dashboard was not built. */
export async function readWebFiles(folders = webFolders()): Promise<Map<string, WebFile>> {
  for (const folder of folders) {
    const files = await readFolder(folder).catch(() => new Map<string, WebFile>());
    if (files.has('/')) return files;
  }
  return new Map();
}

/** Beside the bundle, beside the folder of its chunks, and of a checkout that runs from src/. */
function webFolders(): string[] {
  const here = path.dirname(fileURLToPath(import.meta.url));
  return ['web', '../web', '../../dist/web'].map((folder) => path.resolve(here, folder));
}

async function readFolder(folder: string): Promise<Map<string, WebFile>> {
  const files = new Map<string, WebFile>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const type = types[path.extname(entry.name)];
    if (!entry.isFile() || !type) continue;
    const file = path.join(entry.parentPath, entry.name);
    const bodies = new Map<Coding, Buffer>();
    for (const [coding, suffix] of codings) {
      const body = await readFile(file + suffix).catch(() => null);
      if (body) bodies.set(coding, body);
    }
    const body = bodies.get('identity');
    if (!body) continue;
    const name = path.relative(folder, file).replaceAll(path.sep, '/');
    files.set(name === 'index.html' ? '/' : `/${name}`, {
      type,
      etag: createHash('sha256').update(body).digest('base64url').slice(0, 22),
      immutable: name.startsWith('assets/'),
      bodies,
    });
  }
  return files;
}
