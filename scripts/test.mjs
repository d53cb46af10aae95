// npm test: the whole suite on a fresh clone. --node=26 runs it on that version, --newest what may differ there on the
// newest; other arguments go to vitest.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { ensureBuild, ensureNode, ensurePackages, ensureParts, partsRoot, root } from './setup.mjs';

/**
 * What the newest Node may change: all that runs in the test's own process, and programs of ours as they are started,
 * signalled, upgraded and read by others. The rest is the same code once more, with other servers.
 */
const newest = {
  version: '26',
  files: [
    ...['src/', 'test/contract/'],
    ...['quickstart', 'cli', 'who', 'free', 'run', 'leases', 'leases-cli', 'linux-processes', 'handlers'].map(
      real,
    ),
    ...['relay-native', 'relay-native-daemon', 'relay-portable', 'udp', 'tls-peers', 'supervise'].map(real),
    ...['daemon-life', 'daemon-signals', 'daemon-upgrade', 'daemon-checks'].map(real),
  ],
};

function real(name) {
  return `test/real/${name}.test.ts`;
}

const words = process.argv.slice(2);
const isNewest = words.includes('--newest');
const version = isNewest ? newest.version : words.find((word) => word.startsWith('--node='))?.slice(7);
const forVitest = words.filter((word) => word !== '--newest' && !word.startsWith('--node='));
const args = isNewest ? [...newest.files, ...forVitest] : forVitest;

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
