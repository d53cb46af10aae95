// reeve scan beside nmap, as whole commands over every port of loopback; then many scans of a known population.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { partsRoot, root } from '../scripts/setup.mjs';
import { ratio, report, rounds, table, timeCommand, unpacked } from './harness.mjs';

const reeve = path.join(root, 'dist', 'reeve.cjs');
const populationFile = path.join(root, 'test', 'fixtures', 'scan', 'population.cjs');
const listeners = 300;
const isRoot = process.getuid?.() === 0;
/** `--truth=N`: how many scans of the known population; `--rounds=N`: how often each contender is measured. */
const option = (name, fallback) =>
  Number(process.argv.find((word) => word.startsWith(`--${name}=`))?.split('=')[1] ?? fallback);

/** Unpacked rather than installed, nmap must be told where its data is too. */
function findNmap() {
  const { file, env } = unpacked('nmap', 'nmap', [
    'nmap-common',
    'liblinear4',
    'libblas3',
    'liblua5.3-0',
    'lua-lpeg',
    'libpcap0.8',
    'libpcre3',
    'libssh2-1',
  ]);
  if (!file.startsWith(partsRoot)) return { file, env };
  return { file, env: { ...env, NMAPDIR: path.join(partsRoot, 'usr', 'share', 'nmap') } };
}

/** @returns the process and the ports that it listens on. */
async function populate(churners, prefix = []) {
  const [file, ...words] = [...prefix, process.execPath, populationFile, String(listeners), String(churners)];
  const child = spawn(file, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(child.stdout.setEncoding('utf8'), 'data');
  return { child, ports: JSON.parse(line) };
}

async function measureSpeed() {
  const nmap = findNmap();
  const ours =
    (...words) =>
    () =>
      timeCommand(process.execPath, [reeve, 'scan', '127.0.0.1', '-p', '1-65535', ...words]);
  const theirs = (method) => () =>
    timeCommand(nmap.file, [method, '-p-', '-n', '-Pn', '-T5', '127.0.0.1'], { env: nmap.env });
  const contenders = {
    'reeve scan 127.0.0.1 -p 1-65535': ours(),
    'nmap -sT -p- -n -Pn -T5 127.0.0.1': theirs('-sT'),
    ...(isRoot && {
      'reeve scan 127.0.0.1 -p 1-65535 --method syn': ours('--method', 'syn'),
      'nmap -sS -p- -n -Pn -T5 127.0.0.1': theirs('-sS'),
    }),
    'node -e 0': () => timeCommand(process.execPath, ['-e', '0']),
  };
  const { child } = await populate(0);
  const measured = await rounds(contenders, option('rounds', 9));
  child.kill('SIGKILL');
  const names = Object.keys(contenders);
  const peerOf = (name) => (name.includes('syn') ? names[3] : name.startsWith('reeve') ? names[1] : null);
  const rows = names.map((name) => [
    `\`${name}\``,
    `${measured[name].median.toFixed(0)} ms`,
    peerOf(name) ? ratio(measured[name].median, measured[peerOf(name)].median) : '',
  ]);
  return { rows, nmap };
}

/** In a network namespace of its own, where nobody else listens: what is found must be the population, port by port. */
async function measureTruth(count, churners) {
  const name = `reeve-bench-${process.pid}`;
  const prefix = ['ip', 'netns', 'exec', name];
  execFileSync('ip', ['netns', 'add', name]);
  let population;
  try {
    execFileSync('ip', ['-n', name, 'link', 'set', 'lo', 'up']);
    population = await populate(churners, prefix);
    const wrong = { positive: 0, negative: 0 };
    for (let round = 0; round < count; round++) {
      const words = [process.execPath, reeve, 'scan', '127.0.0.1', '-p', '1-65535', '--json'];
      const { open } = JSON.parse(execFileSync('ip', [...prefix.slice(1), ...words], { encoding: 'utf8' }));
      const found = new Set(open.map(({ port }) => port));
      wrong.negative += population.ports.filter((port) => !found.has(port)).length;
      wrong.positive += [...found].filter((port) => !population.ports.includes(port)).length;
    }
    return wrong;
  } finally {
    population?.child.kill('SIGKILL');
    execFileSync('ip', ['netns', 'delete', name]);
  }
}

const { rows, nmap } = await measureSpeed();
const count = option('truth', 100);
const churners = 8;
const truth = isRoot && count > 0 ? await measureTruth(count, churners) : null;
report('scan', {
  title: 'Scan: every port of loopback, as a whole command',
  body: `${listeners} listeners among 65,535 ports (goal: at most 0.5 × \`nmap -sT\`):

${table(['command', 'median', 'reeve / nmap'], rows)}

${
  truth
    ? `${count} connect scans of ${listeners} known listeners in a network namespace, with ${churners} clients connecting and closing all the time: ${truth.positive} false positives, ${truth.negative} false negatives.`
    : 'Scans of a known population were not run: they need root, and --truth above 0.'
}`,
  versions: [versionOfNmap(nmap)],
});

function versionOfNmap({ file, env }) {
  return execFileSync(file, ['--version'], { encoding: 'utf8', env })
    .split('\n')[0]
    .replace(/ \(.*\)/, '')
    .trim();
}
