// Who is measured: reeve's engines, HAProxy, nginx stream and a Go program, each with one worker or thread.
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { partsRoot, root } from '../../scripts/setup.mjs';
import { fetchPackage, goProgram, unpacked } from '../harness.mjs';
import { freePort } from './stage.mjs';

export const programs = {
  haproxy: unpacked('haproxy', 'haproxy', ['liblua5.3-0', 'libopentracing-c-wrapper0', 'libopentracing1']),
  nginx: unpacked('nginx', 'nginx', ['libnginx-mod-stream']),
};

/** Name → starts it in front of the target, and resolves with its port and PID. */
export const contenders = {
  'reeve (native)': (stage, target) => startReeve(stage, 'native', target),
  'reeve (portable)': (stage, target) => startReeve(stage, 'portable', target),
  HAProxy: (stage, target) => startHaproxy(stage, target, 'haproxy', ''),
  'HAProxy (splice)': (stage, target) => startHaproxy(stage, target, 'haproxy-splice', 'option splice-auto'),
  'nginx stream': startNginx,
  'Go (io.Copy)': startGo,
};

async function startReeve(stage, engine, target) {
  const port = await freePort();
  const config = stage.file(
    `${engine}.yaml`,
    `control: { listen: "127.0.0.1:${await freePort()}" }
state: ./state-${engine}
relay: { engine: ${engine}, workers: 1 }
listeners:
  web:
    bind: ["127.0.0.1:${port}"]
    backlog: 4096
    balance: { targets: ["${target}"] }
`,
  );
  const program = { file: process.execPath, env: process.env };
  const reeve = path.join(root, 'dist', 'reeve.cjs');
  const child = await stage.start(program, [reeve, 'up', '-q', '-c', config, '--log-level', 'warn'], port);
  return { port, pid: child.pid };
}

async function startHaproxy(stage, target, name, extra) {
  const port = await freePort();
  const config = stage.file(
    `${name}.cfg`,
    `global
  nbthread 1
  maxconn ${extra ? 4000 : 9900}
defaults
  mode tcp
  timeout connect 5s
  timeout client 10m
  timeout server 10m
  ${extra}
frontend f
  bind 127.0.0.1:${port} backlog 4096
  default_backend b
backend b
  server s ${target}
`,
  );
  const child = await stage.start(programs.haproxy, ['-f', config, '-db'], port);
  return { port, pid: child.pid };
}

async function startNginx(stage, target) {
  const port = await freePort();
  const { folder } = stage;
  const config = stage.file(
    'stream.conf',
    `load_module ${streamModule()};
    daemon off; worker_processes 1; pid ${folder}/stream.pid; error_log ${folder}/log; user root;
    events { worker_connections 19900; }
    stream { server { listen 127.0.0.1:${port} backlog=4096; proxy_pass ${target}; } }`,
  );
  const child = await stage.start(programs.nginx, ['-c', config, '-p', folder], port);
  return { port, pid: child.pid };
}

function streamModule() {
  const places = [partsRoot, '/usr/lib/nginx'].flatMap((place) => {
    try {
      return readdirSync(place, { recursive: true, withFileTypes: true });
    } catch {
      return [];
    }
  });
  const found = places.find(({ name }) => name === 'ngx_stream_module.so');
  if (found) return path.join(found.parentPath, found.name);
  fetchPackage('libnginx-mod-stream');
  return streamModule();
}

async function startGo(stage, target) {
  const port = await freePort();
  const program = { file: goProgram('relay'), env: process.env };
  const child = await stage.start(program, [`127.0.0.1:${port}`, target], port);
  return { port, pid: child.pid };
}

/** The version that each names, in one line. */
export function versions() {
  const first = ({ file, env }) =>
    execFileSync('sh', ['-c', '"$0" -v 2>&1', file], { env, encoding: 'utf8' })
      .split('\n')[0]
      .replace(/ (\d{4}\/|\[|- http).*/, '');
  return Object.values(programs).map(first);
}
