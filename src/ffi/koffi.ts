// Loads koffi. Its own way takes 8 ms of CPU to find the one file that matters, a tenth of what a short command takes.
import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export type Koffi = typeof import('koffi');

/** What this code was written for. */
const major = '3.';
const prefix = 'koffi-';

export function loadKoffi(): Koffi {
  return loadDirectly(fileURLToPath(import.meta.url)) ?? createRequire(import.meta.url)('koffi');
}

/** Null where it is not plain that this is the file which koffi itself would take. */
export function loadDirectly(from: string): Koffi | null {
  try {
    const file = find(path.dirname(from));
    if (file === null) return null;
    const module = { exports: {} as Koffi & { version?: string } };
    process.dlopen(module, file);
    return module.exports.version?.startsWith(major) ? module.exports : null;
  } catch {
    return null;
  }
}

/** In the nearest node_modules that has it. npm installs the package of this machine, and no other. */
function find(folder: string): string | null {
  const packages = path.join(folder, 'node_modules', '@koromix');
  if (!existsSync(packages)) {
    const above = path.dirname(folder);
    return above === folder ? null : find(above);
  }
  const [name, ...more] = readdirSync(packages).filter((each) => each.startsWith(prefix));
  // musl (Alpine) has a build of its own in the same package; koffi knows which a Node needs.
  if (!name || more.length > 0 || !name.endsWith(process.arch) || existsSync(musl)) return null;
  return path.join(packages, name, name.slice(prefix.length).replace('-', '_'), 'koffi.node');
}

const musl = `/lib/ld-musl-${process.arch === 'x64' ? 'x86_64' : 'aarch64'}.so.1`;
