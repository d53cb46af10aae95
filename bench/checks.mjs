// 10,000 TCP checks every 5 s in the daemon, beside the same probes asked of Prometheus' blackbox exporter: CPU a probe.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { createServer } from 'node:net';
import { cpus, loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { root } from '../scripts/setup.mjs';
import { cpuSeconds, median, peer, ratio, report, table, unpackedLibraries, versionOf } from './harness.mjs';

const option = (name, fallback) =>
  Number(process.argv.find((word) => word.startsWith(`--${name}=`))?.split('=')[1] ?? fallback);
const checks = option('checks', 10_000);
const seconds = option('seconds', 20);
const rounds = option('rounds', 3);
const interval = 5;

const folder = mkdtempSync(path.join(tmpdir(), 'reeve-bench-checks-'));
const children = [];
const start = (file, words, options) => {
  const child = spawn(file, words, options);
  children.push(child);
  return child;
};

/** Accepts, closes after the other end, and answers each line of its input with how many it has accepted. */
const acceptor = `
let count = 0;
const server = require('node:net').createServer((socket) => { count += 1; socket.on('error', () => {}).resume(); });
server.listen(0, '127.0.0.1', 4096, () => console.log(server.address().port));
process.stdin.on('data', () => console.log(count));
`;

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function startAcceptor() {
  const child = start(process.execPath, ['-e', acceptor], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdout.setEncoding('utf8');
  const ask = async () => {
    child.stdin.write('?\n');
    return Number((await once(child.stdout, 'data'))[0]);
  };
  return { port: Number((await once(child.stdout, 'data'))[0]), count: ask };
}

async function startReeve(port) {
  const file = path.join(folder, 'reeve.yaml');
  const lines = Array.from({ length: checks }, (_, n) => `  c${n}: { url: "tcp://127.0.0.1:${port}" }`);
  writeFileSync(file, `control: { listen: "127.0.0.1:0" }\nstate: ./state\nchecks:\n${lines.join('\n')}\n`);
  const words = [path.join(root, 'dist', 'reeve.cjs'), 'up', '-c', file];
  const env = { ...process.env, REEVE_LOG_LEVEL: 'warn' };
  const child = start(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'], env });
  await once(child.stdout, 'data');
  return child;
}

async function startExporter() {
  const file = peer('prometheus-blackbox-exporter');
  const config = path.join(folder, 'blackbox.yml');
  writeFileSync(config, 'modules: { tcp: { prober: tcp, timeout: 3s } }\n');
  const port = await freePort();
  const words = [`--config.file=${config}`, `--web.listen-address=127.0.0.1:${port}`, '--log.level=error'];
  const child = start(file, words, {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, ...unpackedLibraries() },
  });
  for (;;) {
    await sleep(50);
    const up = await new Promise((resolve) =>
      get({ port, host: '127.0.0.1', path: '/-/healthy' }, (answer) => resolve(answer.resume())).on(
        'error',
        () => resolve(null),
      ),
    );
    if (up) return { child, port, file };
  }
}

/** As Prometheus does: over connections that are kept, a request for each target. */
async function scrape({ port }, target, wanted) {
  const agent = new Agent({ keepAlive: true, maxSockets: 32 });
  let left = wanted;
  const one = () =>
    new Promise((resolve, reject) => {
      const where = { agent, port, host: '127.0.0.1', path: `/probe?module=tcp&target=127.0.0.1:${target}` };
      get(where, (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (chunk) => {
          text += chunk;
        });
        answer.on('end', () =>
          text.includes('probe_success 1')
            ? resolve()
            : reject(new Error(`the exporter's probe failed: ${text}`)),
        );
      }).on('error', reject);
    });
  const worker = async () => {
    while (left-- > 0) await one();
  };
  await Promise.all(Array.from({ length: 32 }, worker));
  agent.destroy();
}

const measured = { reeve: [], exporter: [], rate: [] };
try {
  const server = await startAcceptor();
  const exporter = await startExporter();
  const reeve = await startReeve(server.port);
  // Until all have been asked, and what was compiled late is compiled.
  await sleep(15_000);
  await scrape(exporter, server.port, 2000);
  for (let round = 0; round < rounds; round++) {
    const before = { cpu: cpuSeconds(reeve.pid), count: await server.count(), at: performance.now() };
    await sleep(seconds * 1000);
    const probes = (await server.count()) - before.count;
    measured.reeve.push(((cpuSeconds(reeve.pid) - before.cpu) / probes) * 1e6);
    measured.rate.push(probes / ((performance.now() - before.at) / 1000));
    // The daemon goes on meanwhile: its share of the machine is the same for the other.
    const started = cpuSeconds(exporter.child.pid);
    await scrape(exporter, server.port, checks);
    measured.exporter.push(((cpuSeconds(exporter.child.pid) - started) / checks) * 1e6);
  }
  const [ours, theirs] = [median(measured.reeve), median(measured.exporter)];
  const micro = (value) => `${value.toFixed(0)} µs`;
  report('checks', {
    title: `Checks: ${checks.toLocaleString('en')} TCP checks every ${interval} s`,
    body: `CPU time a probe (user and system) of the whole process, median of ${rounds} rounds (goal: at most 0.5 × the exporter):

${table(
  ['', 'CPU a probe', 'reeve / exporter'],
  [
    ['`reeve up`, the daemon with its scheduler, verdicts and metrics', micro(ours), ratio(ours, theirs)],
    ['`prometheus-blackbox-exporter`, asked as Prometheus asks it', micro(theirs), ''],
  ],
)}

The daemon made ${median(measured.rate).toFixed(0)} probes a second (asked for: ${(checks / interval).toFixed(0)}), which is ${((ours * median(measured.rate)) / 1e4).toFixed(0)} % of one core. The exporter needs a Prometheus besides, which is not
counted. The machine was shared with other work while this was measured (load average ${loadavg()[0].toFixed(0)} on ${cpus().length}
cores): read the ratio; where fewer probes were made than asked for, both were short of CPU.`,
    versions: [versionOf(exporter.file)],
  });
} finally {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
}
