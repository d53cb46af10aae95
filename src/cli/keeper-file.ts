// Where the keeper's program is.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Beside the bundle, or above its chunks; null in a checkout that has not been built. */
export function keeperFile(): string | null {
  const places = ['./keeper.js', '../keeper.js'].map((place) =>
    fileURLToPath(new URL(place, import.meta.url)),
  );
  return places.find((file) => existsSync(file)) ?? null;
}
