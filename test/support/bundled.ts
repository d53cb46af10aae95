// Runs a TypeScript file of the tests in a process of its own, where the test's own process may not be changed for good.
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = path.join(root, 'node_modules', '.cache', 'reeve-test', String(process.pid));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The file as JavaScript that any supported Node runs; inside the package, so that it finds its dependencies. */
export async function bundled(file: URL): Promise<string> {
  const source = fileURLToPath(file);
  mkdirSync(folder, { recursive: true });
  const outfile = path.join(folder, `${path.basename(source, '.ts')}.mjs`);
  await build({
    entryPoints: [source],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'error',
  });
  return outfile;
}
