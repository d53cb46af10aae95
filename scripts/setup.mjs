// Makes a fresh clone ready: packages, build and the real programs that tests talk to. Uses Node alone.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { downloadFrom } from './older-debian.mjs';
import { installInto } from './packages.mjs';
import { completeWine, winePackages } from './wine.mjs';

export const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const at = (...parts) => path.join(root, ...parts);
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';

/** Runs a program, its output going to stderr so that callers keep a clean stdout. */
export function run(file, args, options = {}) {
  execFileSync(file, args, { cwd: root, stdio: ['ignore', 2, 2], shell: file.endsWith('.cmd'), ...options });
}

/** Installs packages when there are none, or when the lock file has changed since they were installed. */
export function ensurePackages() {
  const stamp = at('node_modules', '.portreeve-lock');
  const lock = createHash('sha256')
    .update(readFileSync(at('package-lock.json')))
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  console.error('Installing packages…');
  run(npm, ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  writeFileSync(stamp, lock);
}

/** Builds when a source is newer than the last build. */
export function ensureBuild() {
  const stamp = at('dist', '.built');
  const built = existsSync(stamp) ? statSync(stamp).mtimeMs : 0;
  const newest = Math.max(
    ...['package-lock.json', 'tsconfig.json', 'scripts/build.mjs', 'scripts/build-web.mjs'].map(
      (file) => statSync(at(file)).mtimeMs,
    ),
    ...['src', 'web']
      .flatMap((folder) => readdirSync(at(folder), { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => statSync(path.join(entry.parentPath, entry.name)).mtimeMs),
  );
  if (built > newest) return;
  run(process.execPath, [at('scripts', 'build.mjs')]);
}

/**
 * The real programs that tests and benches talk to, unpacked beside the project rather than installed:
 * nothing on the machine is started or replaced by them. `install`: it has too many libraries to be unpacked.
 */
const parts = {
  promtool: { debian: 'prometheus', file: 'usr/bin/promtool' },
  prometheus: { debian: 'prometheus', file: 'usr/bin/prometheus' },
  lsof: { debian: 'lsof', file: 'usr/bin/lsof' },
  ss: { debian: 'iproute2', file: 'bin/ss' },
  ip: { debian: 'iproute2', file: 'bin/ip' },
  chromium: { debian: 'chromium', file: 'usr/bin/chromium', install: true },
  openssl: { debian: 'openssl', file: 'usr/bin/openssl', install: true },
  curl: { debian: 'curl', file: 'usr/bin/curl', install: true },
  // Run with LD_LIBRARY_PATH: its libraries are unpacked beside it.
  haproxy: {
    debian: ['haproxy', 'liblua5.3-0', 'libopentracing-c-wrapper0', 'libopentracing1'],
    file: 'usr/sbin/haproxy',
  },
  // Likewise.
  dnsmasq: {
    debian: [
      'dnsmasq-base',
      'libnetfilter-conntrack3',
      'libnftables1',
      'libnfnetlink0',
      'libnftnl11',
      'libmnl0',
      'libxtables12',
      'libjansson4',
      'libdbus-1-3',
      'libnettle8',
      'libhogweed6',
      'libgmp10',
      'libidn2-0',
      'libunistring2',
    ],
    file: 'usr/sbin/dnsmasq',
  },
  // It only reads units: nothing of systemd runs.
  'systemd-analyze': {
    debian: [
      'systemd',
      'libsystemd-shared',
      'libip4tc2',
      'libkmod2',
      'libseccomp2',
      'libcap2',
      'libacl1',
      'libapparmor1',
    ],
    file: 'usr/bin/systemd-analyze',
  },
  zsh: { debian: ['zsh', 'zsh-common'], file: 'bin/zsh' },
  // Run with LD_LIBRARY_PATH.
  fish: { debian: ['fish', 'fish-common', 'libpcre2-32-0'], file: 'usr/bin/fish' },
  nc: { debian: 'netcat-openbsd', file: 'bin/nc.openbsd' },
  wine: { debian: winePackages, under: 'wine', file: 'wine/ready', complete: completeWine },
  'nats-server': { debian: 'nats-server', file: 'usr/sbin/nats-server' },
  // The last Debian that had it.
  consul: { debian: 'consul', suite: 'bullseye', file: 'usr/bin/consul' },
};

export const partsRoot = at('.parts');

/** Undefined where it is not installed. */
export function onPath(program) {
  const folders = [...(process.env.PATH ?? '').split(path.delimiter), '/usr/sbin', '/sbin'];
  return folders.map((folder) => path.join(folder, program)).find((file) => existsSync(file));
}

/** Where a part is: on the PATH, or unpacked under .parts; undefined when it is neither. */
export function findPart(name) {
  const { file, complete } = parts[name];
  const unpacked = path.join(partsRoot, file);
  return (complete ? undefined : onPath(name)) ?? (existsSync(unpacked) ? unpacked : undefined);
}

/** Fetches the parts that are missing, where this machine can (Debian's apt). Returns name → reason for the rest. */
export function ensureParts(names = Object.keys(parts)) {
  const missing = names.filter((name) => !findPart(name));
  const reasons = {};
  if (missing.length === 0) return reasons;
  if (!onPath('apt-get') || process.getuid?.() !== 0) {
    for (const name of missing)
      reasons[name] = `${name} is not installed, and only root on Debian can fetch it`;
    return reasons;
  }
  console.error(`Fetching ${missing.join(', ')} from Debian…`);
  try {
    run('apt-get', ['update', '-qq']);
  } catch {
    console.error('apt-get update failed; trying with the package lists at hand');
  }
  for (const name of missing) {
    if (findPart(name)) continue;
    try {
      fetchPart(parts[name]);
    } catch (error) {
      reasons[name] = `${name} could not be fetched: ${error.message}`;
    }
  }
  return reasons;
}

/** A Node of another version, from npm, whose package has the program inside; `version`: 26, 20.19.0. */
export function ensureNode(version) {
  const folder = path.join(partsRoot, `node-${version}`);
  const name = `node-${process.platform}-${process.arch}`;
  const program = path.join(folder, 'node_modules', name, 'bin', 'node');
  if (!existsSync(program)) {
    console.error(`Fetching Node ${version} from npm…`);
    installInto(folder, [`${name}@${version}`]);
  }
  return program;
}

function fetchPart({ debian, suite, under = '.', file, complete, install = false }) {
  if (install) {
    run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', debian], { timeout: 600_000 });
    return;
  }
  const downloads = path.join(partsRoot, 'downloads');
  const folder = path.join(partsRoot, under);
  mkdirSync(downloads, { recursive: true });
  try {
    if (suite) downloadFrom(suite, debian, downloads, run);
    else run('apt-get', ['download', '-qq', ...[debian].flat()], { cwd: downloads, timeout: 600_000 });
    for (const deb of readdirSync(downloads)) run('dpkg', ['-x', path.join(downloads, deb), folder]);
    if (!complete) return;
    complete(folder, root);
    writeFileSync(path.join(partsRoot, file), '');
  } finally {
    rmSync(downloads, { recursive: true, force: true });
  }
}
