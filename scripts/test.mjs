// npm test: the whole suite on a fresh clone. --node=26 runs it on that version; other arguments go to vitest.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { ensureBuild, ensureNode, ensurePackages, ensureParts, partsRoot, root } from './setup.mjs';

const isNode = (argument) => argument.startsWith('--node=');
const version = process.argv.find(isNode)?.slice('--node='.length);
const args = process.argv.slice(2).filter((argument) => !isNode(argument));

ensurePackages();
ensureBuild();
const missing = ensureParts();
const { status } = spawnSync(
  version === undefined ? process.execPath : ensureNode(version),
  [path.join(root, 'node_modules', 'vitest', 'vitest.mjs'), 'run', ...args],
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
