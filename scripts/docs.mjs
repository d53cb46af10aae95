// npm run docs: writes reeve.schema.json, docs/configuration.md and docs/json.md from the schemas in src/, and the man
// page from the command tree.
// With --check it writes nothing and fails where one of them is stale.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { manPage } from './docs-man.mjs';
import { configurationPage, jsonPage } from './docs-pages.mjs';
import { root } from './setup.mjs';

/** The TypeScript schemas, bundled into a file of their own and imported. */
async function importSchemas() {
  const cache = path.join(root, 'node_modules', '.cache');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(path.join(cache, 'reeve-docs-'));
  try {
    const outfile = path.join(folder, 'schemas.mjs');
    await build({
      absWorkingDir: root,
      stdin: {
        contents: `
          export { z } from 'zod';
          export { configSchema } from './src/config/schema.ts';
          export * as records from './src/core/records.ts';
          export { recordExamples } from './src/core/record-examples.ts';
          export { buildProgram } from './src/cli/program.ts';
          export { commands } from './src/cli/commands/index.ts';
          export { createIo } from './src/cli/io.ts';`,
        resolveDir: root,
        loader: 'ts',
      },
      outfile,
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node20.19',
      packages: 'external',
      logLevel: 'warning',
    });
    return await import(pathToFileURL(outfile).href);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** For editors: without `kind`, which only the reference reads, and with `${NAME}` where a number goes. */
function forEditors(value) {
  if (Array.isArray(value)) return value.map(forEditors);
  if (typeof value !== 'object' || value === null) return value;
  const { kind, ...own } = value;
  if (typeof kind === 'object') own.kind = kind;
  if (['integer', 'boolean'].includes(own.type) && !('const' in own)) {
    own.type = [own.type, 'string'];
    own.pattern = '^\\$\\{[^}]*\\}$';
  }
  return Object.fromEntries(Object.entries(own).map(([key, inner]) => [key, forEditors(inner)]));
}

function editorSchema(schema) {
  const { $schema, ...rest } = forEditors(schema);
  return { $schema, title: 'Configuration of reeve up', ...rest };
}

const { z, configSchema, records, recordExamples, buildProgram, commands, createIo } = await importSchemas();
const config = z.toJSONSchema(configSchema, {
  io: 'input',
  target: 'draft-7',
  override({ jsonSchema }) {
    // Named by the contract and not served: an editor marks it as soon as it is written.
    if (jsonSchema.description?.startsWith('Not supported yet')) jsonSchema.not = {};
  },
});
const shapes = Object.entries(recordExamples).map(([name, example]) => ({
  name,
  schema: z.toJSONSchema(records[`${name}Schema`]),
  example: records[`${name}Schema`].parse(example),
}));
const head = readFileSync(path.join(root, 'docs', 'configuration.head.md'), 'utf8');
const files = {
  'reeve.schema.json': `${JSON.stringify(editorSchema(config), null, 2)}\n`,
  'docs/configuration.md': configurationPage(config, head),
  'docs/json.md': jsonPage(shapes),
  'docs/reeve.1': manPage(buildProgram(createIo([], process), commands)),
};

for (const [name, text] of Object.entries(files)) {
  const file = path.join(root, name);
  if (existsSync(file) && readFileSync(file, 'utf8') === text) continue;
  if (process.argv.includes('--check')) {
    console.error(`${name} is stale: run npm run docs`);
    process.exitCode = 1;
  } else {
    writeFileSync(file, text);
    console.log(`wrote ${name}`);
  }
}
