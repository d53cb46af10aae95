// A daemon with many listeners on a machine with many sockets, and traffic through all of them, until it is closed.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { findControl } from '../../scripts/demo-town.mjs';
import { root } from '../../scripts/setup.mjs';

export const listeners = 200;
export const sockets = 2000;
/** New connections a second, over all listeners. */
export const connections = 100;

const crowd = `
const net = require('net');
let open = 0;
for (let i = 0; i < ${sockets}; i++)
  net.createServer((socket) => socket.on('error', () => {}).destroy()).listen(0, '127.0.0.1', () => { if (++open === ${sockets}) console.log('ready'); });
process.stdin.resume().once('end', () => process.exit());`;

export async function openCrowd() {
  const folder = mkdtempSync(path.join(tmpdir(), 'crowd-'));
  const servers = [0, 1].map(() => net.createServer((socket) => socket.on('error', () => {}).end('hello\n')));
  for (const server of servers) await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const targets = servers.map((server) => `"127.0.0.1:${server.address().port}"`).join(', ');
  const rows = Array.from(
    { length: listeners },
    (_, i) => `  l${i}: { bind: ["127.0.0.1:0"], balance: { targets: [${targets}] } }`,
  );
  writeFileSync(
    path.join(folder, 'reeve.yaml'),
    `control: { listen: "127.0.0.1:0" }\nstate: ./state\nlisteners:\n${rows.join('\n')}\n`,
  );
  const people = spawn(process.execPath, ['-e', crowd], { stdio: ['pipe', 'pipe', 'inherit'] });
  await new Promise((resolve) => people.stdout.once('data', resolve));
  const daemon = spawn(process.execPath, [path.join(root, 'dist/reeve.cjs'), 'up', '-c', 'reeve.yaml'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, REEVE_LEASES: path.join(folder, 'leases') },
  });
  const address = await findControl(daemon);
  const status = await (await fetch(`http://${address}/api/v1/status`)).json();
  const doors = status.listeners.map(({ binds }) => Number(binds[0].address.split(':').at(-1)));
  let next = 0;
  const timer = setInterval(() => {
    for (let i = 0; i < connections / 10; i++) {
      const socket = net.connect(doors[next++ % doors.length], '127.0.0.1').on('error', () => {});
      socket.resume().end('a line\n');
    }
  }, 100);
  return {
    address,
    pid: status.pid,
    async close() {
      clearInterval(timer);
      for (const server of servers) server.close();
      people.stdin.end();
      daemon.kill('SIGTERM');
      await new Promise((resolve) => daemon.once('exit', resolve));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
