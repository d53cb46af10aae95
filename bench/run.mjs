// npm run bench [name…]: runs the benchmarks named, or all; each prints and keeps its section of RESULTS.md.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { ensureBuild, ensurePackages, root } from '../scripts/setup.mjs';

const notBenchmarks = new Set(['run.mjs', 'harness.mjs']);
const all = readdirSync(path.join(root, 'bench'))
  .filter((file) => file.endsWith('.mjs') && !notBenchmarks.has(file))
  .map((file) => file.replace(/\.mjs$/, ''));
const [names, options] = [
  process.argv.slice(2).filter((word) => !word.startsWith('-')),
  process.argv.slice(2).filter((word) => word.startsWith('-')),
];
const unknown = names.filter((name) => !all.includes(name));
if (unknown.length > 0) {
  console.error(`no benchmark is named ${unknown.join(', ')}: there are ${all.join(', ')}`);
  process.exit(2);
}
ensurePackages();
ensureBuild();
for (const name of names.length > 0 ? names : all) {
  const { status } = spawnSync(process.execPath, [path.join(root, 'bench', `${name}.mjs`), ...options], {
    stdio: 'inherit',
  });
  if (status !== 0) process.exitCode = 1;
}
