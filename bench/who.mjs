// reeve who beside ss and lsof, as whole commands: on a loaded population, and on a machine that is idle.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { root } from '../scripts/setup.mjs';
import { cpuSeconds, median, peer, ratio, report, rounds, table, versionOf } from './harness.mjs';

const reeve = path.join(root, 'dist', 'reeve.cjs');
const ss = peer('ss', 'iproute2');
const lsof = peer('lsof');
const listeners = 300;
const descriptors = 33_000;
const processes = 30;

const commands = {
  'reeve who': [process.execPath, reeve, 'who'],
  'ss -ltnp': [ss, '-ltnp'],
  'lsof -nP -iTCP -sTCP:LISTEN': [lsof, '-nP', '-iTCP', '-sTCP:LISTEN'],
  'node -e 0': [process.execPath, '-e', '0'],
};
const names = Object.keys(commands);

/** Medians of whole commands, in milliseconds: of time that passed, and of CPU time, which a busy machine hardly changes. */
async function measure() {
  const cpu = Object.fromEntries(names.map((name) => [name, []]));
  const contenders = names.map((name) => [
    name,
    () => {
      const { passed, used } = timeOf(commands[name]);
      cpu[name].push(used);
      return passed;
    },
  ]);
  const passed = await rounds(Object.fromEntries(contenders), 9);
  return Object.fromEntries(
    names.map((name) => [name, { passed: passed[name].median, used: median(cpu[name].slice(1)) }]),
  );
}

function timeOf(command) {
  const script = 'TIMEFORMAT="%3R %3U %3S"; time "$0" "$@" > /dev/null 2>&1; true';
  const { stderr, status } = spawnSync('bash', ['-c', script, ...command], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`bash ended with ${status}: ${stderr}`);
  const [real, user, system] = stderr
    .trim()
    .split(' ')
    .map((seconds) => Number(seconds) * 1000);
  return { passed: real, used: user + system };
}

const watchSeconds = 60;
const idle = await measure();
const watchLoad = await loadOfWatch();
const population = await populate();
const loaded = await measure();
for (const child of population) child.kill('SIGKILL');

const header = ['command', 'time', 'reeve / it', 'CPU', 'reeve / it'];
const rowsOf = (measured) =>
  names.map((name) => [
    `\`${name}\``,
    ...['passed', 'used'].flatMap((key) => [
      `${measured[name][key].toFixed(0)} ms`,
      ratio(measured['reeve who'][key], measured[name][key]),
    ]),
  ]);
report('who', {
  title: 'Look-up: `reeve who` as a whole command',
  body: `${listeners} listeners and ${descriptors} open descriptors in ${processes} processes (goal: at most 1.0 × ss, 0.45 × lsof):

${table(header, rowsOf(loaded))}

The same machine idle (goal: at most 1.5 × node -e 0):

${table(header, rowsOf(idle))}

\`reeve who --watch\` there, for ${watchSeconds} s: ${(watchLoad * 100).toFixed(2)} % of a core (goal: under 1 %).`,
  versions: [versionOf(ss, '-V'), `lsof ${versionOf(lsof, '-v').replace('revision: ', '')}`],
});

/** CPU time that watching takes, of the time that passes; its start does not count. */
async function loadOfWatch() {
  const child = spawn(process.execPath, [reeve, 'who', '--watch'], { stdio: 'ignore' });
  const wait = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  await wait(5);
  const before = cpuSeconds(child.pid);
  await wait(watchSeconds);
  const used = cpuSeconds(child.pid) - before;
  child.kill('SIGTERM');
  return used / watchSeconds;
}

/** Listeners and plain open files, spread over processes that only sleep. */
async function populate() {
  const script = `
    const fs = require('fs'); const net = require('net');
    let open = 0; const want = ${listeners / processes};
    for (let i = 0; i < want; i++) net.createServer().listen(0, '127.0.0.1', () => { if (++open === want) console.log('ready') });
    for (let i = 0; i < ${Math.floor((descriptors - listeners) / processes)}; i++) fs.openSync('/dev/null');
    setInterval(() => {}, 1e6);`;
  const children = Array.from({ length: processes }, () =>
    spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] }),
  );
  await Promise.all(children.map((child) => once(child.stdout, 'data')));
  return children;
}
