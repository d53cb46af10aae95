// npm test: the whole suite on a fresh clone. Arguments go to vitest.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { ensureBuild, ensurePackages, ensureParts, partsRoot, root } from './setup.mjs';

ensurePackages();
ensureBuild();
const missing = ensureParts();
const { status } = spawnSync(
  process.execPath,
  [path.join(root, 'node_modules', 'vitest', 'vitest.mjs'), 'run', ...process.argv.slice(2)],
  {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      REEVE_PARTS_MISSING: JSON.stringify(missing),
      PATH: [
        process.env.PATH,
        '/usr/sbin',
        '/sbin',
        `${partsRoot}/usr/bin`,
        `${partsRoot}/usr/sbin`,
        `${partsRoot}/bin`,
      ].join(path.delimiter),
    },
  },
);
process.exitCode = status ?? 1;
