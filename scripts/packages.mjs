// Packages of npm for the tests alone, in a folder of their own: the project's package.json does not know them.
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** `flags` as npm takes them. Nothing that a package brings is run. */
export function installInto(folder, names, flags = []) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n');
  const always = ['--no-save', '--no-package-lock', '--ignore-scripts', '--no-audit', '--no-fund'];
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  execFileSync(npm, ['install', ...always, '--loglevel=error', ...flags, ...names], {
    cwd: folder,
    stdio: ['ignore', 2, 2],
    timeout: 300_000,
    shell: npm.endsWith('.cmd'),
  });
}
