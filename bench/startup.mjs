// From the command to a daemon that serves, and its memory when idle, beside pm2 and a Consul agent.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { findPart, partsRoot, root } from '../scripts/setup.mjs';
import { familyOf, median, memoryOf, ratio, report, table } from './harness.mjs';
import { freePort } from './relay/stage.mjs';

const rounds = Number(process.env.ROUNDS ?? 5);
const pm2Version = '7.0.4';
const folder = await mkdtemp(path.join(tmpdir(), 'reeve-bench-'));
const server = path.join(folder, 'server.mjs');
writeFileSync(
  server,
  `import { createServer } from 'node:http';
createServer((_, response) => response.end('hello')).listen(process.env.PORT, '127.0.0.1');`,
);

/** Resolves once the URL answers with 2xx. */
async function answers(url) {
  for (;;) {
    const response = await fetch(url).catch(() => null);
    await response?.arrayBuffer();
    if (response?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const ended = (child) => new Promise((resolve) => child.once('exit', resolve));

/** One service of one instance behind a listener; ready when the listener has answered. */
async function startReeve() {
  const [control, port] = [await freePort(), await freePort()];
  const state = path.join(folder, `state-${control}`);
  const config = path.join(folder, `${control}.yaml`);
  writeFileSync(
    config,
    `control: { listen: "127.0.0.1:${control}" }
state: ${state}
services:
  web: { command: [node, ${server}] }
listeners:
  web: { bind: ["127.0.0.1:${port}"], balance: { service: web } }
`,
  );
  const began = performance.now();
  const args = [path.join(root, 'dist', 'reeve.cjs'), 'up', '-q', '-c', config, '--log-level', 'warn'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 2, 2] });
  await answers(`http://127.0.0.1:${port}/`);
  const ms = performance.now() - began;
  return {
    ms,
    pid: child.pid,
    async stop() {
      child.kill('SIGTERM');
      await ended(child);
    },
  };
}

function pm2() {
  const home = path.join(partsRoot, 'pm2');
  const file = path.join(home, 'node_modules', 'pm2', 'bin', 'pm2');
  if (!existsSync(file)) {
    mkdirSync(home, { recursive: true });
    const args = [
      'install',
      '--prefix',
      home,
      '--no-audit',
      '--no-fund',
      '--ignore-scripts',
      `pm2@${pm2Version}`,
    ];
    execFileSync('npm', args, { stdio: ['ignore', 2, 2] });
  }
  return file;
}

async function startPm2() {
  const port = await freePort();
  const home = path.join(folder, `pm2-${port}`);
  const env = { ...process.env, PM2_HOME: home, PORT: String(port) };
  const run = (...args) => execFileSync(process.execPath, [pm2(), ...args], { env, stdio: 'ignore' });
  const began = performance.now();
  run('start', server, '--name', 'web');
  await answers(`http://127.0.0.1:${port}/`);
  const ms = performance.now() - began;
  const pid = Number(readFileSync(path.join(home, 'pm2.pid'), 'utf8'));
  return { ms, pid, stop: async () => run('kill') };
}

async function startConsul() {
  const port = await freePort();
  const off = ['-dns-port=-1', '-grpc-port=-1', `-http-port=${port}`, `-server-port=${await freePort()}`];
  const serf = [`-serf-lan-port=${await freePort()}`, `-serf-wan-port=${await freePort()}`];
  const began = performance.now();
  const child = spawn(findPart('consul'), ['agent', '-dev', '-bind=127.0.0.1', ...off, ...serf], {
    stdio: 'ignore',
  });
  await answers(`http://127.0.0.1:${port}/v1/status/leader`);
  const ms = performance.now() - began;
  return {
    ms,
    pid: child.pid,
    async stop() {
      child.kill('SIGTERM');
      await ended(child);
    },
  };
}

const contenders = {
  'reeve up': startReeve,
  'pm2 start': startPm2,
  ...(findPart('consul') && { 'consul agent -dev': startConsul }),
};
const values = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]));
try {
  for (let round = 0; round <= rounds; round++) {
    for (const [name, start] of Object.entries(contenders)) {
      const one = await start();
      // Once what was only needed to start has been given back.
      await new Promise((resolve) => setTimeout(resolve, 2000));
      const [alone, all] = [memoryOf([one.pid]), memoryOf(familyOf(one.pid))];
      await one.stop();
      if (round > 0) values[name].push({ ms: one.ms, alone, all });
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
const of = (name, key) => median(values[name].map((value) => value[key]));
const rows = Object.keys(contenders).map((name) => [
  `\`${name}\``,
  `${of(name, 'ms').toFixed(0)} ms`,
  ratio(of('reeve up', 'ms'), of(name, 'ms')),
  ...['alone', 'all'].flatMap((key) => [
    `${(of(name, key) / 1e6).toFixed(0)} MB`,
    ratio(of('reeve up', key), of(name, key)),
  ]),
]);
report('startup', {
  title: 'Start: from the command to the first answer, and memory when idle',
  body: `One small HTTP service, supervised; with reeve behind a listener, whose answer counts (goal: 500 ms). Memory is that of the
daemon's own process (goal: 90 MB), and of everything that it has started, the service included, each page counted once:

${table(['command', 'first answer', 'reeve / it', 'daemon', 'reeve / it', 'all', 'reeve / it'], rows)}`,
  versions: [`pm2 ${pm2Version}`],
});
