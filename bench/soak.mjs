// Mixed traffic through the relay for `--minutes=N` (default 1; 60 is the long form): every byte is compared, and memory and
// descriptors of the relay are read all the time. Long talks, short connections, bulk and clients that reset in the middle.
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { root } from '../scripts/setup.mjs';
import { cpuSeconds, familyOf, memoryOf, report, table } from './harness.mjs';
import { freePort } from './relay/stage.mjs';

const minutes = Number(process.argv.find((word) => word.startsWith('--minutes='))?.slice(10) ?? 1);
const engine = process.argv.find((word) => word.startsWith('--engine='))?.slice(9) ?? 'native';
const ends = performance.now() + minutes * 60_000;
const pool = randomBytes(4 * 1024 * 1024);
const counts = { talks: 0, short: 0, bulk: 0, reset: 0, bytes: 0 };

const folder = mkdtempSync(path.join(tmpdir(), 'reeve-soak-'));
const target = createServer({ allowHalfOpen: true }, (socket) => {
  socket.on('error', () => {});
  socket.pipe(socket);
}).listen(0, '127.0.0.1');
await once(target, 'listening');
const port = await freePort();
writeFileSync(
  path.join(folder, 'reeve.yaml'),
  `control: { listen: "127.0.0.1:${await freePort()}" }
state: ./state
relay: { engine: ${engine}, workers: ${engine === 'native' ? 2 : 'auto'} }
listeners:
  web: { bind: ["127.0.0.1:${port}"], balance: { targets: ["127.0.0.1:${target.address().port}"] } }
`,
);
const args = [path.join(root, 'dist', 'reeve.cjs'), 'up', '-q', '-c', path.join(folder, 'reeve.yaml')];
const reeve = spawn(process.execPath, [...args, '--log-level', 'error'], { stdio: ['ignore', 2, 2] });

const random = (least, most) => least + Math.floor(Math.random() * (most - least));
const running = () => performance.now() < ends;
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function open() {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  await once(socket, 'connect');
  return socket;
}

/** Says so many bytes of the pool and wants to hear the same. */
async function echo(socket, size) {
  const from = random(0, pool.length - 1);
  const said = createHash('sha256');
  const heard = createHash('sha256');
  let left = size;
  const all = new Promise((resolve, reject) => {
    const take = (chunk) => {
      heard.update(chunk);
      left -= chunk.length;
      if (left > 0) return;
      socket.off('data', take).off('error', reject).off('close', closed);
      resolve();
    };
    const closed = () => reject(new Error(`closed with ${left} of ${size} bytes to come`));
    socket.on('data', take).on('error', reject).on('close', closed);
  });
  for (let at = 0; at < size; ) {
    const start = (from + at) % pool.length;
    const part = pool.subarray(start, Math.min(pool.length, start + Math.min(65_536, size - at)));
    said.update(part);
    if (!socket.write(part)) await Promise.race([once(socket, 'drain'), all]);
    at += part.length;
  }
  await all;
  if (said.digest('hex') !== heard.digest('hex')) throw new Error(`${size} bytes came back changed`);
  counts.bytes += 2 * size;
}

async function talk() {
  const socket = await open();
  while (running()) {
    await echo(socket, random(1, 20_000));
    counts.talks += 1;
    await sleep(random(10, 200));
  }
  socket.end();
  await once(socket.resume(), 'close');
}

async function shorts() {
  while (running()) {
    const socket = await open();
    await echo(socket, random(1, 5000));
    socket.end();
    await once(socket.resume(), 'close');
    counts.short += 1;
    await sleep(random(20, 180));
  }
}

async function bulk() {
  while (running()) {
    const socket = await open();
    await echo(socket, 32 * 1024 * 1024);
    socket.end();
    await once(socket.resume(), 'close');
    counts.bulk += 1;
    await sleep(5000);
  }
}

async function resets() {
  while (running()) {
    const socket = await open();
    socket.on('error', () => {});
    socket.write(pool.subarray(0, random(1, 500_000)));
    await sleep(random(0, 100));
    socket.resetAndDestroy();
    counts.reset += 1;
    await sleep(100);
  }
}

const samples = [];
async function watch() {
  while (running()) {
    const pids = familyOf(reeve.pid);
    const descriptors = pids.map((pid) => readdirSync(`/proc/${pid}/fd`).length);
    samples.push({
      memory: memoryOf(pids),
      descriptors: descriptors.reduce((sum, each) => sum + each, 0),
      cpu: pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0),
    });
    await sleep(1000);
  }
}

try {
  while (
    !(await open().then(
      (socket) => socket.destroy(),
      () => null,
    ))
  )
    await sleep(50);
  const many = (count, work) => Array.from({ length: count }, work);
  await Promise.all([...many(20, talk), ...many(10, shorts), bulk(), resets(), watch()]);
} finally {
  reeve.kill('SIGTERM');
  await once(reeve, 'exit');
  target.close();
  rmSync(folder, { recursive: true, force: true });
}

/** Of each tenth of the time, the highest. */
const tenths = Array.from({ length: 10 }, (_, i) => {
  const part = samples.slice(
    Math.floor((i * samples.length) / 10),
    Math.floor(((i + 1) * samples.length) / 10),
  );
  const most = (key) => Math.max(...part.map((sample) => sample[key]));
  return [`${i + 1}`, `${(most('memory') / 1e6).toFixed(1)} MB`, String(most('descriptors'))];
});
report('soak', {
  title: `Soak: ${minutes} minutes of mixed traffic through the ${engine} engine`,
  body: `${counts.short} short connections, ${counts.talks} requests over 20 that stayed, ${counts.bulk} times 32 MiB there and back, ${counts.reset}
clients that reset in the middle: ${(counts.bytes / 1e9).toFixed(1)} GB, every byte compared, none wrong or missing.
${samples.at(-1).cpu.toFixed(0)} s of processor time. The most that the daemon and its workers had in each tenth of the time:

${table(['tenth', 'memory', 'descriptors'], tenths)}`,
  versions: ['one process makes the traffic'],
});
