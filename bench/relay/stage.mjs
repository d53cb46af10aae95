// The stage of the relay's benchmark: processes that are started, watched and ended, and the target behind all of them.
import { spawn } from 'node:child_process';
import { mkdtempSync, openSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

export const gibibyte = 2 ** 30;

export function createStage() {
  const folder = mkdtempSync(path.join(tmpdir(), 'reeve-bench-'));
  const children = [];
  const log = path.join(folder, 'log');
  const stage = {
    folder,
    log,
    file(name, text) {
      writeFileSync(path.join(folder, name), text);
      return path.join(folder, name);
    },
    /** Resolves once the port answers. */
    async start({ file, env }, args, port) {
      const output = openSync(log, 'a');
      const child = spawn(file, args, { env, stdio: ['ignore', output, output] });
      children.push(child);
      for (const end = performance.now() + 10_000; ; ) {
        if (await reachable(port)) return child;
        if (performance.now() > end || child.exitCode !== null) {
          throw new Error(`${file} does not listen: ${readFileSync(log, 'utf8')}`);
        }
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    async end() {
      for (const child of children.reverse()) child.kill('SIGTERM');
      const ended = (child) => new Promise((resolve) => child.once('exit', resolve));
      await Promise.all(children.map((child) => (child.exitCode === null ? ended(child) : null)));
      rmSync(folder, { recursive: true, force: true });
    },
  };
  // A benchmark that is interrupted leaves no peers behind.
  for (const signal of ['SIGINT', 'SIGTERM'])
    process.once(signal, () => void stage.end().finally(() => process.exit(130)));
  return stage;
}

export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function reachable(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

/** Each relay has an address of its own: source ports that one has used up are free for the next. */
const hosts = Array.from({ length: 8 }, (_, i) => `127.0.0.${i + 1}`);

/** A short answer at /, a gibibyte at /big. @returns its addresses, all the same. */
export async function startTarget(stage, nginx) {
  const port = await freePort();
  const { folder } = stage;
  truncateSync(stage.file('big', ''), gibibyte);
  const config = stage.file(
    'target.conf',
    `daemon off; worker_processes 1; pid ${folder}/target.pid; error_log ${folder}/log;
    events { worker_connections 16384; }
    http { access_log off; keepalive_requests 100000000; sendfile on; root ${folder};
      client_header_timeout 10m; keepalive_timeout 10m;
      client_body_temp_path ${folder}/t1; proxy_temp_path ${folder}/t2; fastcgi_temp_path ${folder}/t3;
      uwsgi_temp_path ${folder}/t4; scgi_temp_path ${folder}/t5;
      server { ${hosts.map((host) => `listen ${host}:${port} backlog=4096;`).join(' ')} location = / { return 200 "hello\\n"; } } }
    user root;`,
  );
  await stage.start(nginx, ['-c', config, '-p', folder], port);
  return hosts.map((host) => `${host}:${port}`);
}
