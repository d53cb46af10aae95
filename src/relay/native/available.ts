// Whether the native engine can run here, and where its worker's program is.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { errorMessage } from '../../core/errors.ts';
import { checked, epoll, linux } from '../../ffi/index.ts';

/** Layouts of structures are those of 64-bit Linux. */
const architectures = ['x64', 'arm64'];

/** The worker's program: beside the bundle, or above its chunks; null in a checkout that has not been built. */
export function workerFile(): string | null {
  const places = ['./relay-worker.js', '../relay-worker.js'];
  const files = places.map((place) => fileURLToPath(new URL(place, import.meta.url)));
  return files.find((file) => existsSync(file)) ?? null;
}

/** Why it cannot run, in words; null where it can. `platform` is the System's. */
export function nativeObstacle(platform: string, file: string | null): string | null {
  if (platform !== 'linux') return `the native engine needs Linux, and this is ${platform}`;
  if (!architectures.includes(process.arch)) return `the native engine does not know ${process.arch}`;
  if (file === null) return 'the program of its workers is missing: it comes with the build';
  try {
    epoll.close(checked('epoll_create1', epoll.epoll_create1(linux.SOCK_CLOEXEC)));
    return null;
  } catch (error) {
    return `native calls do not work here (${errorMessage(error)})`;
  }
}
