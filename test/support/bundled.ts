// Runs a TypeScript file of the tests in a process of its own, where the test's own process may not be changed for good.
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = path.join(root, 'node_modules', '.cache', 'reeve-test', String(process.pid));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** CommonJS packages in a bundle ask for Node's own modules by it. */
const requireLine =
  "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);";

/** The file as JavaScript that any supported Node runs; inside the package, so that it finds its dependencies. */
export async function bundled(file: URL, alias?: Record<string, string>): Promise<string> {
  const source = fileURLToPath(file);
  mkdirSync(folder, { recursive: true });
  const outfile = path.join(folder, `${path.basename(source, '.ts')}.mjs`);
  await build({
    entryPoints: [source],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    // What is aliased comes with all that it needs; koffi never fits into a bundle.
    ...(alias
      ? { alias, external: ['koffi', '@photostructure/sqlite'], banner: { js: requireLine } }
      : { packages: 'external' }),
    logLevel: 'error',
  });
  return outfile;
}
