// What a storm of changes needs: a folder, processes that end with it, two servers behind the relay, and a load before it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const server = `import { createServer } from 'node:http';
const ports = (process.env.PORT ?? '0,0').split(',').map(Number);
const servers = ports.map((port) => createServer((_, response) => response.end('hello')).listen(port, '127.0.0.1'));
for (const server of servers) server.keepAliveTimeout = 60_000;
await Promise.all(servers.map((server) => server.listening || new Promise((resolve) => server.once('listening', resolve))));
console.log(servers.map((server) => server.address().port).join());
process.on('SIGTERM', () => process.exit(0));`;

export function createScene() {
  const folder = mkdtempSync(path.join(tmpdir(), 'reeve-storm-'));
  const at = (name) => path.join(folder, name);
  const own = new Set();
  writeFileSync(at('server.mjs'), server);
  const start = (file, args, options = {}) => {
    const child = spawn(file, args, { cwd: folder, stdio: ['pipe', 'pipe', 2], ...options });
    own.add(child);
    child.once('exit', () => own.delete(child));
    return child;
  };
  return {
    folder,
    at,
    start,
    /** Resolves with the ports of both. */
    async startServers() {
      return (await said(start(process.execPath, [at('server.mjs')]))).split(',');
    },
    /** Resolves once it asks; `end` of what that gives, with what happened. */
    async startLoad(...args) {
      const child = start(process.execPath, [path.join(import.meta.dirname, 'load.mjs'), ...args]);
      await said(child);
      return {
        async end() {
          const told = said(child);
          child.stdin.end();
          return JSON.parse(await told);
        },
      };
    },
    close() {
      for (const child of own) child.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The line that a process says when it is ready, or done. */
export const said = async (child) => String((await once(child.stdout, 'data'))[0]).trim();

export function summary(times) {
  const sorted = [...times].sort((a, b) => a - b);
  const of = (part) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0);
  return { count: times.length, medianMs: of(0.5), p99Ms: of(0.99), maxMs: of(1) };
}
