// What every benchmark shares: peers from Debian, rounds in turn, medians and ratios, and one place for the results.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import path from 'node:path';
import { onPath, partsRoot, root } from '../scripts/setup.mjs';

/** A peer program: on the PATH, or fetched from Debian and unpacked under .parts. Throws where neither can be. */
export function peer(program, debianPackage = program) {
  const places = [...(process.env.PATH ?? '').split(path.delimiter), '/usr/sbin', '/sbin'];
  const unpacked = ['usr/sbin', 'usr/bin', 'sbin', 'bin'].map((folder) => path.join(partsRoot, folder));
  const find = () =>
    [...places, ...unpacked].map((folder) => path.join(folder, program)).find((file) => existsSync(file));
  const found = find();
  if (found) return found;
  fetchPackage(debianPackage);
  const fetched = find();
  if (!fetched) throw new Error(`${program} is not in Debian's package ${debianPackage}`);
  return fetched;
}

/** Downloads a Debian package and unpacks it under .parts, with the packages that it needs by name. */
export function fetchPackage(...names) {
  const downloads = path.join(partsRoot, 'downloads');
  mkdirSync(downloads, { recursive: true });
  const quiet = { cwd: downloads, stdio: ['ignore', 'ignore', 2] };
  spawnSync('apt-get', ['update', '-qq'], quiet);
  for (const name of names) execFileSync('apt-get', ['download', '-qq', name], quiet);
  for (const deb of readdirSync(downloads)) execFileSync('dpkg', ['-x', deb, partsRoot], quiet);
  rmSync(downloads, { recursive: true, force: true });
}

/** A peer and the environment that it runs in: unpacked rather than installed, it must be told where libraries are. */
export function unpacked(program, debianPackage, needs) {
  const file = peer(program, debianPackage);
  if (!file.startsWith(partsRoot)) return { file, env: process.env };
  const environment = () => ({ ...process.env, ...unpackedLibraries() });
  const lacks = () => {
    const { stdout } = spawnSync('ldd', [file], { env: environment(), encoding: 'utf8' });
    return stdout.includes('not found');
  };
  if (needs.length > 0 && lacks()) fetchPackage(...needs);
  return { file, env: environment() };
}

/** One of our own Go programs in bench/peers, built where its source is newer. @returns its file. */
export function goProgram(name) {
  const source = path.join(root, 'bench', 'peers', `${name}.go`);
  const folder = path.join(partsRoot, 'go');
  const built = path.join(folder, name);
  if (existsSync(built) && statSync(built).mtimeMs > statSync(source).mtimeMs) return built;
  const { file, env } = go();
  mkdirSync(folder, { recursive: true });
  execFileSync(file, ['build', '-o', built, source], {
    env: { ...env, GOCACHE: path.join(folder, 'cache'), GOPATH: folder, GO111MODULE: 'off' },
    stdio: ['ignore', 2, 2],
  });
  return built;
}

/** Debian 12's Go, unpacked under .parts where none is installed. */
function go() {
  const installed = onPath('go');
  if (installed) return { file: installed, env: process.env };
  const GOROOT = path.join(partsRoot, 'usr', 'lib', 'go-1.19');
  const file = path.join(GOROOT, 'bin', 'go');
  if (!existsSync(file)) fetchPackage('golang-1.19-go', 'golang-1.19-src');
  return { file, env: { ...process.env, GOROOT } };
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * Measures each contender once a round, in turn, so that what else the machine does hits all of them alike.
 * `contenders` maps a name to a function that returns one number (or a promise of it). The first round is a warm-up.
 * Returns each name's median, and all its values.
 */
export async function rounds(contenders, count) {
  const values = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]));
  for (let round = 0; round <= count; round++) {
    for (const [name, measure] of Object.entries(contenders)) {
      const value = await measure();
      if (round > 0) values[name].push(value);
    }
  }
  return Object.fromEntries(
    Object.entries(values).map(([name, all]) => [name, { median: median(all), all }]),
  );
}

/** Milliseconds of a whole command, its output thrown away. */
export function timeCommand(file, args, options = {}) {
  const start = performance.now();
  const { status, error } = spawnSync(file, args, { stdio: 'ignore', ...options });
  if (error) throw error;
  if (status !== 0 && !options.anyStatus) throw new Error(`${path.basename(file)} ended with ${status}`);
  return performance.now() - start;
}

/** CPU seconds that a process has spent so far (Linux: proc(5), utime and stime in ticks of 10 ms). */
export function cpuSeconds(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** The process and everything below it. */
export function familyOf(pid) {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  const below = children.split(' ').filter(Boolean).map(Number);
  return [pid, ...below.flatMap(familyOf)];
}

/** Bytes of memory of these processes, each shared page counted once (PSS). */
export function memoryOf(pids) {
  const kilobytes = (each) =>
    Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${each}/smaps_rollup`, 'utf8'))?.[1]);
  return pids.reduce((sum, each) => sum + kilobytes(each) * 1024, 0);
}

export function ratio(ours, theirs) {
  return `${(ours / theirs).toFixed(2)} ×`;
}

/** For programs that were unpacked rather than installed: where their libraries are, in folders of their own too. */
export function unpackedLibraries() {
  const folder = path.join(partsRoot, 'usr', 'lib');
  if (!existsSync(folder)) return {};
  const triplets = readdirSync(folder).filter((name) => name.includes('-linux-'));
  const places = triplets.flatMap((name) => [
    path.join(folder, name),
    ...readdirSync(path.join(folder, name), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => path.join(folder, name, entry.name)),
  ]);
  return { LD_LIBRARY_PATH: places.join(':') };
}

/** The first line in which a program names a version of its own. */
export function versionOf(file, ...args) {
  const env = { ...process.env, ...unpackedLibraries() };
  const { stdout, stderr } = spawnSync(file, args.length > 0 ? args : ['--version'], {
    encoding: 'utf8',
    env,
  });
  const lines = `${stdout}${stderr}`.trim().split('\n');
  return (lines.find((line) => /\d+\.\d+/.test(line)) ?? lines[0]).trim();
}

/** A Markdown table. */
export function table(header, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}

/**
 * Prints one benchmark's section and keeps it in bench/results/NAME.md; bench/RESULTS.md is put together from all
 * of them. `versions` names what was compared.
 */
export function report(name, { title, body, versions }) {
  const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'unknown CPU'}, Linux ${release()}, Node ${process.versions.node}`;
  const date = new Date().toISOString().slice(0, 10);
  const section = `## ${title}\n\n${body.trim()}\n\n${date}; ${machine}; ${versions.join('; ')}.\n`;
  if (section.includes(root)) throw new Error(`the section names a folder of this machine: ${section}`);
  console.log(section);
  const folder = path.join(root, 'bench', 'results');
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, `${name}.md`), section);
  const sections = readdirSync(folder)
    .sort()
    .map((file) => readFileSync(path.join(folder, file), 'utf8'));
  writeFileSync(path.join(root, 'bench', 'RESULTS.md'), `${head}\n${sections.join('\n')}`);
}

const head = `# Measured

Every figure compares contenders that were measured in turn in the same run: read the ratios, since the machines are
small, shared and noisy. \`npm run bench NAME\` measures again and rewrites its section.
`;
