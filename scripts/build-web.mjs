// Builds the dashboard into a folder, with each file's compressed forms beside it: the daemon only hands them out.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { build } from 'vite';
import { root } from './setup.mjs';

/** Smaller files fit into one packet anyway. */
const leastBytes = 600;

export async function buildWeb(outDir) {
  await build({
    configFile: path.join(root, 'web', 'vite.config.ts'),
    build: { outDir, emptyOutDir: true },
  });
  for (const entry of readdirSync(outDir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath, entry.name);
    const body = readFileSync(file);
    if (body.length < leastBytes) continue;
    writeFileSync(`${file}.gz`, gzipSync(body, { level: 9 }));
    writeFileSync(
      `${file}.br`,
      brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: body.length } }),
    );
  }
}
