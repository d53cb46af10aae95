// npm run check: format and lint, types, architecture, generated documents, links. Prints what failed and exits 1.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { ensurePackages, root } from './setup.mjs';

ensurePackages();
const bin = (...parts) => path.join(root, 'node_modules', ...parts);
const steps = [
  ['format and lint', bin('@biomejs', 'biome', 'bin', 'biome'), 'check', '.'],
  ['types', bin('typescript', 'bin', 'tsc'), '--noEmit'],
  ['types of the dashboard', bin('typescript', 'bin', 'tsc'), '-p', 'web', '--noEmit'],
  ['architecture', path.join(root, 'scripts', 'architecture.mjs')],
  ['generated documents', path.join(root, 'scripts', 'docs.mjs'), '--check'],
  ['links', path.join(root, 'scripts', 'links.mjs')],
];
for (const [name, ...command] of steps) {
  const { status } = spawnSync(process.execPath, command, { cwd: root, stdio: 'inherit' });
  if (status !== 0) {
    console.error(`\nnpm run check: ${name} failed`);
    process.exitCode = 1;
  }
}
