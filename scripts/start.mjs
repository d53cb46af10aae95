// npm start: everything that examples/quickstart needs, then `reeve up` on it.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { ensureBuild, ensurePackages, root } from './setup.mjs';

ensurePackages();
ensureBuild();
const daemon = spawn(
  process.execPath,
  [
    path.join(root, 'dist', 'reeve.cjs'),
    'up',
    '-c',
    'examples/quickstart/reeve.yaml',
    ...process.argv.slice(2),
  ],
  { cwd: root, stdio: 'inherit' },
);
// The terminal sends Ctrl-C to the daemon too; this process only waits for its end.
for (const name of ['SIGINT', 'SIGTERM']) {
  process.on(name, () => {
    if (name === 'SIGTERM') daemon.kill(name);
  });
}
daemon.on('exit', (code, signal) => {
  process.exitCode = code ?? (signal ? 1 : 0);
});
