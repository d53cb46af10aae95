// A small town to look at: services, listeners and checks with traffic, in a folder of its own, until it is closed.
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { root } from './setup.mjs';

const config = `control: { listen: "127.0.0.1:0" }
state: ./state
ports: { range: 20000-20199, exclude: [20080] }
services:
  shop-api:
    command: [node, server.mjs]
    instances: 3
    check: { http: /healthz, interval: 2s }
    env: { DATABASE_URL: "postgres://shop:secret@127.0.0.1/shop" }
  mailer: { command: [node, server.mjs], check: { http: /healthz, interval: 2s } }
listeners:
  shop:
    bind: ["127.0.0.1:18080"]
    balance: { service: shop-api, retries: 2 }
    limits: { rate: 60/s }
  legacy:
    bind: ["127.0.0.1:15432"]
    balance:
      targets: ["127.0.0.1:19001", { address: "127.0.0.1:19002", weight: 2 }, { address: "127.0.0.1:19003", backup: true }]
      check: { tcp: true, interval: 1s, timeout: 500ms }
  intake: { bind: ["127.0.0.1:19000"], frame: line, sink: events }
sinks: { events: { file: ./events.jsonl } }
checks:
  database: { url: "tcp://127.0.0.1:19001", interval: 2s }
  search: { url: "tcp://127.0.0.1:19099", interval: 2s, timeout: 1s }
`;

/** Resolves with the control address, a token and `close`, once the daemon is ready. */
export async function openTown() {
  const folder = mkdtempSync(path.join(tmpdir(), 'town-'));
  writeFileSync(path.join(folder, 'reeve.yaml'), config);
  cpSync(path.join(root, 'examples/quickstart/server.mjs'), path.join(folder, 'server.mjs'));
  seedHistory(path.join(folder, 'state'));
  const servers = [19001, 19002].map((port) =>
    net.createServer((socket) => socket.on('error', () => {}).end('hello\n')).listen(port, '127.0.0.1'),
  );
  // Run from there too: pictures of the town show no checkout.
  const program = path.join(folder, 'portreeve');
  cpSync(path.join(root, 'dist'), path.join(program, 'dist'), { recursive: true });
  symlinkSync(path.join(root, 'node_modules'), path.join(program, 'node_modules'), 'dir');
  const daemon = spawn(process.execPath, [path.join(program, 'dist/reeve.cjs'), 'up', '-c', 'reeve.yaml'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, REEVE_LEASES: path.join(folder, 'leases') },
  });
  const address = await findControl(daemon);
  const timers = traffic();
  return {
    address,
    token: readFileSync(path.join(folder, 'state', 'token'), 'utf8').trim(),
    async close() {
      for (const timer of timers) clearInterval(timer);
      for (const server of servers) server.close();
      daemon.kill('SIGTERM');
      await new Promise((resolve) => daemon.once('exit', resolve));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The control address that a daemon says on its output. */
export function findControl(daemon) {
  return new Promise((resolve, reject) => {
    let text = '';
    const take = (chunk) => {
      text += chunk;
      const found = /control API on ([\d.]+:\d+)/.exec(text) ?? /http:\/\/(127\.0\.0\.1:\d+)/.exec(text);
      if (found) resolve(found[1]);
    };
    daemon.stdout.on('data', take);
    daemon.stderr.on('data', take);
    daemon.once('exit', (code) => reject(new Error(`reeve up ended with ${code}: ${text}`)));
  });
}

function traffic() {
  const visit = () =>
    http
      .get({ host: '127.0.0.1', port: 18080, path: '/', agent: false }, (answer) => answer.resume())
      .on('error', () => {});
  const touch = (port, text) => {
    const socket = net.connect(port, '127.0.0.1').on('error', () => {});
    socket.resume();
    socket.end(text);
  };
  return [
    setInterval(() => {
      const visitors = 10 + 8 * Math.sin(Date.now() / 11_000) + 6 * Math.random();
      for (let i = 0; i < visitors; i++) visit();
    }, 400),
    setInterval(() => touch(15432, ''), 250),
    setInterval(() => touch(19000, `${'a line of an event '.repeat(6)}\n`), 150),
  ];
}

/** A day and a month of checks, as if the town were old. */
function seedHistory(folder) {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { DatabaseSync } = createRequire(import.meta.url)('@photostructure/sqlite');
  const file = new DatabaseSync(path.join(folder, 'history.db'));
  file.exec(`create table slots (
    step integer not null, place integer not null, at integer not null, sample text not null,
    primary key (step, place)) strict, without rowid; pragma user_version = 1`);
  const put = file.prepare('insert or replace into slots values (?, ?, ?, ?)');
  const now = Math.floor(Date.now() / 1000);
  const wave = (n) => ((n * 7919) % 101) / 101;
  for (const [step, slots] of [
    [60, 1440],
    [1800, 1440],
  ]) {
    for (let slot = Math.floor(now / step) - slots + 2; slot < Math.floor(now / step) - 1; slot++) {
      const ms = 2 + wave(slot) + Math.sin(slot / 40);
      const up = slot % 397 === 0 ? 0.4 : 1;
      const search = slot % 613 < 9 ? 0 : 1;
      const sample = { 'check/database': [up, ms, ms * 2], 'check/search': [search, ms * 4, ms * 9] };
      put.run(step, slot % slots, slot * step, JSON.stringify(sample));
    }
  }
  file.close();
}
