// A daemon under steady load that is reloaded and upgraded again and again: prints, as JSON, what clients saw of it.
// node storm.mjs <reloads> <upgrades> [<keep-alive connections> <short connections a second>]
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../../scripts/setup.mjs';
import { freePort } from '../relay/stage.mjs';
import { createScene, said, summary } from './scene.mjs';

const [reloads = 50, upgrades = 2, kept = 200, rate = 200] = process.argv.slice(2).map(Number);
const { folder, at, start, startServers, startLoad, close } = createScene();
const reeve = path.join(root, 'dist', 'reeve.cjs');
const env = { ...process.env, REEVE_LEASES: at('leases') };
const command = (...args) => execFileSync(process.execPath, [reeve, ...args, '--json'], { cwd: folder, env });

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

try {
  const targets = await startServers();
  configure(0, targets);
  const daemon = start(process.execPath, [reeve, 'up', '--log-level', 'error'], { env });
  await said(daemon);
  // In quiet pipes nothing may pile up.
  daemon.stdout.resume();
  const loads = await Promise.all([
    startLoad(web, kept, rate),
    startLoad(api, Math.ceil(kept / 10), Math.ceil(rate / 10), 'tls'),
  ]);
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
  for (const load of loads) results.push(await load.end());
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
  close();
}
