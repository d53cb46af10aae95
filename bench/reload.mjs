// Reloads and upgrades under steady load: how many requests fail, and how long they take.
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { root } from '../scripts/setup.mjs';
import { report, table, versionOf } from './harness.mjs';
import { programs } from './relay/contenders.mjs';

const [reloads, upgrades] = (process.env.STORM ?? '1000,20').split(',').map(Number);
const run = (name, ...args) =>
  JSON.parse(
    execFileSync(process.execPath, [path.join(root, 'bench', 'reload', `${name}.mjs`), ...args.map(String)], {
      stdio: ['ignore', 'pipe', 2],
    }),
  );
const told = run('storm', reloads, upgrades);
const haproxy = run('haproxy', reloads);
const row = (what, { count, medianMs, p99Ms, maxMs }) => [
  what,
  count,
  `${medianMs} ms`,
  `${p99Ms} ms`,
  `${maxMs} ms`,
];
const load = (what, { requests, connections, failures, slowestMs }) => [
  what,
  requests,
  connections,
  failures,
  `${slowestMs} ms`,
];
report('reload', {
  title: 'Reloads and upgrades under load',
  body: `One client process with 200 keep-alive connections, each asking twice a second, and 200 short connections a
second over the native engine; another with a tenth of that over TLS. Each reload changes targets, weights, limits and
certificates; upgrades come between them. HAProxy has the same plain load alone, and each reload changes as much: a new
worker takes the sockets over from the last one.

${table(
  ['', 'times', 'median', '99th percentile', 'longest'],
  [row('reload', told.reloads), row('upgrade', told.upgrades), row('reload of HAProxy', haproxy.reloads)],
)}

${table(
  ['load', 'requests', 'connections', 'failed or reset', 'slowest answer'],
  [
    load('plain, native engine', told.plain),
    load('TLS, portable engine', told.tls),
    load('plain, HAProxy', haproxy.plain),
  ],
)}`,
  versions: ['openssl for the certificates', versionOf(programs.haproxy.file, '-v')],
});
