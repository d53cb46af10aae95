// A daemon under steady load that is reloaded and upgraded again and again: prints, as JSON, what clients saw of it.
// node storm.mjs <reloads> <upgrades> [<keep-alive connections> <short connections a second>]
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { root } from '../../scripts/setup.mjs';
import { freePort } from '../relay/stage.mjs';

const [reloads = 50, upgrades = 2, kept = 200, rate = 200] = process.argv.slice(2).map(Number);
const folder = mkdtempSync(path.join(tmpdir(), 'reeve-storm-'));
const at = (name) => path.join(folder, name);
const reeve = path.join(root, 'dist', 'reeve.cjs');
const env = { ...process.env, REEVE_LEASES: at('leases') };
const own = new Set();

function start(file, args, options = {}) {
  const child = spawn(file, args, { cwd: folder, env, ...options });
  own.add(child);
  child.once('exit', () => own.delete(child));
  return child;
}

/** Two servers on ports of their own, and a load that asks; each says a line when it is ready. */
const said = async (child) => String((await once(child.stdout, 'data'))[0]).trim();
const command = (...args) => execFileSync(process.execPath, [reeve, ...args, '--json'], { cwd: folder, env });

writeFileSync(
  at('server.mjs'),
  `import { createServer } from 'node:http';
const ports = (process.env.PORT ?? '0,0').split(',').map(Number);
const servers = ports.map((port) => createServer((_, response) => response.end('hello')).listen(port, '127.0.0.1'));
for (const server of servers) server.keepAliveTimeout = 60_000;
await Promise.all(servers.map((server) => server.listening || new Promise((resolve) => server.once('listening', resolve))));
console.log(servers.map((server) => server.address().port).join());
process.on('SIGTERM', () => process.exit(0));`,
);
for (const name of ['one', 'two']) {
  const subject = [
    '-subj',
    `/CN=${name}`,
    '-days',
    '9',
    '-keyout',
    at(`${name}.key`),
    '-out',
    at(`${name}.pem`),
  ];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  execFileSync('openssl', ['req', '-x509', ...kind, ...subject], { stdio: 'ignore' });
}

const [control, web, api] = [await freePort(), await freePort(), await freePort()];
const first = 21_000 + (process.pid % 90) * 100;
/** The nth configuration: other targets, weights, limits and certificates than the one before. */
function configure(n, [a, b]) {
  const targets = [
    `["127.0.0.1:${a}"]`,
    `["127.0.0.1:${b}"]`,
    `["127.0.0.1:${a}", { address: "127.0.0.1:${b}", weight: 3 }]`,
  ];
  const pair = n % 2 ? 'one' : 'two';
  writeFileSync(
    at('reeve.yaml'),
    `control: { listen: "127.0.0.1:${control}" }
state: ./state
ports: { range: ${first}-${first + 99} }
services:
  app: { command: [node, server.mjs], instances: 2, check: { http: /, interval: 2s } }
listeners:
  web:
    bind: ["127.0.0.1:${web}"]
    limits: { connections: ${5000 + (n % 7)}, idle: ${60 + (n % 5)}s }
    balance: { targets: ${targets[n % 3]}, policy: ${n % 4 < 2 ? 'round-robin' : 'least-connections'} }
  api:
    bind: ["127.0.0.1:${api}"]
    tls: { cert: ${pair}.pem, key: ${pair}.key }
    limits: { connections: ${5000 + (n % 7)} }
    balance: { service: app }
`,
  );
}

async function post(route, body = {}) {
  const began = performance.now();
  const token = readFileSync(at('state/token'), 'utf8').trim();
  const response = await fetch(`http://127.0.0.1:${control}/api/v1/${route}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(`${route}: ${answer.detail}`);
  return { ...answer, took: performance.now() - began };
}

const summary = (times) => {
  const sorted = [...times].sort((a, b) => a - b);
  const of = (part) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0);
  return { count: times.length, medianMs: of(0.5), p99Ms: of(0.99), maxMs: of(1) };
};

try {
  const servers = start(process.execPath, [at('server.mjs')], { stdio: ['ignore', 'pipe', 2] });
  const targets = (await said(servers)).split(',');
  configure(0, targets);
  const daemon = start(process.execPath, [reeve, 'up', '--log-level', 'error'], {
    stdio: ['ignore', 'pipe', 2],
  });
  await said(daemon);
  // In quiet pipes nothing may pile up.
  daemon.stdout.resume();
  const load = path.join(import.meta.dirname, 'load.mjs');
  const plain = start(process.execPath, [load, web, kept, rate], { stdio: ['pipe', 'pipe', 2] });
  const tls = start(process.execPath, [load, api, Math.ceil(kept / 10), Math.ceil(rate / 10), 'tls'], {
    stdio: ['pipe', 'pipe', 2],
  });
  await Promise.all([said(plain), said(tls)]);
  await new Promise((resolve) => setTimeout(resolve, 2000));
  const times = { reload: [], upgrade: [] };
  const upgradeEvery = upgrades > 0 ? Math.ceil(reloads / upgrades) : Number.POSITIVE_INFINITY;
  for (let n = 1; n <= reloads; n++) {
    configure(n, targets);
    const { changes, took } = await post('reload');
    if (!changes) throw new Error('a reload that changed nothing');
    times.reload.push(took);
    if (n % upgradeEvery === 0) times.upgrade.push((await post('upgrade', { deadlineMs: 30_000 })).took);
  }
  const results = [];
  for (const child of [plain, tls]) {
    const told = said(child);
    child.stdin.end();
    results.push(JSON.parse(await told));
  }
  const { pid, listeners } = JSON.parse(command('status'));
  console.log(
    JSON.stringify({
      ...{ reloads: summary(times.reload), upgrades: summary(times.upgrade) },
      ...{ plain: results[0], tls: results[1] },
      engine: listeners.map(({ name, engine }) => `${name}: ${engine}`),
      isAnother: pid !== daemon.pid,
    }),
  );
  command('down');
} finally {
  for (const child of own) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
}
