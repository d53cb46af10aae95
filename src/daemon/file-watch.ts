// Looks at a file again and again, and tells once it has changed and stays so: editors and copies write in steps.
import { stat } from 'node:fs/promises';

/** Milliseconds between two looks. */
const lookEvery = 500;

/** Returns how to stop. `changed` is not called again before what it returned has settled. */
export function watchFile(file: string, changed: () => Promise<void>, every = lookEvery): () => void {
  let seen: string | null = null;
  let next: string | null = null;
  let busy = false;
  const look = async () => {
    if (busy) return;
    busy = true;
    try {
      const now = await lookOf([file]);
      seen ??= now;
      const stays = now === next;
      next = now === seen ? null : now;
      // One that is missing is being replaced, or gone: there is nothing to take up.
      if (next === null || !stays || now === missing) return;
      seen = now;
      next = null;
      await changed();
    } finally {
      busy = false;
    }
  };
  const timer = setInterval(() => void look(), every).unref();
  void look();
  return () => clearInterval(timer);
}

const missing = 'missing';

/** What the files look like, to be compared with a later look. Follows links: what is swapped is often the link. */
export async function lookOf(files: string[]): Promise<string> {
  const looks = files.map((file) =>
    stat(file).then(
      ({ ino, size, mtimeMs }) => `${ino} ${size} ${mtimeMs}`,
      () => missing,
    ),
  );
  return (await Promise.all(looks)).join('\n');
}
