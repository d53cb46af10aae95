// The relay beside HAProxy, nginx stream and node:net, one worker each: requests, new connections, bulk data.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { partsRoot, root } from '../scripts/setup.mjs';
import { cpuSeconds, fetchPackage, median, peer, ratio, report, table } from './harness.mjs';

/** `--rounds=N`, `--seconds=N` of each measurement, `--only=name,name`. */
const option = (name, fallback) =>
  process.argv.find((word) => word.startsWith(`--${name}=`))?.split('=')[1] ?? fallback;
const rounds = Number(option('rounds', 5));
const seconds = Number(option('seconds', 3));
const only = option('only', null)?.split(',');
const gibibyte = 2 ** 30;

const folder = mkdtempSync(path.join(tmpdir(), 'reeve-bench-'));
const children = [];
const file = (name, text) => {
  writeFileSync(path.join(folder, name), text);
  return path.join(folder, name);
};

/** Unpacked rather than installed, they must be told where their libraries are. */
function prepare(program, debianPackage, needs) {
  const found = peer(program, debianPackage);
  if (!found.startsWith(partsRoot)) return { file: found, env: process.env };
  const lacking = () =>
    execFileSync('ldd', [found], { env: libraries(), encoding: 'utf8' }).includes('not found');
  if (lacking()) fetchPackage(...needs);
  return { file: found, env: libraries() };
}

function libraries() {
  const places = readdirSync(partsRoot, { recursive: true, withFileTypes: true })
    .filter((entry) => /\.so(\.\d|$)/.test(entry.name))
    .map((entry) => entry.parentPath);
  return { ...process.env, LD_LIBRARY_PATH: [...new Set(places)].join(':') };
}

const haproxy = prepare('haproxy', 'haproxy', [
  'liblua5.3-0',
  'libopentracing-c-wrapper0',
  'libopentracing1',
]);
const nginx = prepare('nginx', 'nginx', ['libnginx-mod-stream']);
const wrk = prepare('wrk', 'wrk', ['libluajit-5.1-2']);

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

function versionOf({ file, env }) {
  const { stdout, stderr } = spawnSync(file, ['-v'], { env, encoding: 'utf8' });
  return `${stdout}${stderr}`.split('\n')[0].replace(/ (\d{4}\/|\[|- http).*/, '');
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function start(program, args, port) {
  const log = openSync(path.join(folder, 'log'), 'a');
  const child = spawn(program.file, args, { env: program.env, stdio: ['ignore', log, log] });
  children.push(child);
  for (const end = performance.now() + 10_000; ; ) {
    if (await reachable(port)) return child;
    if (performance.now() > end || child.exitCode !== null) {
      throw new Error(`${program.file} does not listen: ${readFileSync(path.join(folder, 'log'), 'utf8')}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
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

/** The process and everything below it. */
function familyOf(pid) {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return [
    pid,
    ...children
      .split(' ')
      .filter(Boolean)
      .flatMap((child) => familyOf(Number(child))),
  ];
}

const cpuOf = (pid) => familyOf(pid).reduce((sum, each) => sum + cpuSeconds(each), 0);

async function startTarget() {
  const port = await freePort();
  truncateSync(file('big', ''), gibibyte);
  const config = file(
    'target.conf',
    `daemon off; worker_processes 1; pid ${folder}/target.pid; error_log ${folder}/log;
    events { worker_connections 4096; }
    http { access_log off; keepalive_requests 100000000; sendfile on; root ${folder};
      client_body_temp_path ${folder}/t1; proxy_temp_path ${folder}/t2; fastcgi_temp_path ${folder}/t3;
      uwsgi_temp_path ${folder}/t4; scgi_temp_path ${folder}/t5;
      server { listen 127.0.0.1:${port} backlog=4096; location = / { return 200 "hello\\n"; } } }
    user root;`,
  );
  await start(nginx, ['-c', config, '-p', folder], port);
  return port;
}

async function startReeve(engine, target) {
  const port = await freePort();
  const config = file(
    `${engine}.yaml`,
    `control: { listen: "127.0.0.1:${await freePort()}" }
state: ./state-${engine}
relay: { engine: ${engine}, workers: 1 }
listeners:
  web:
    bind: ["127.0.0.1:${port}"]
    backlog: 4096
    balance: { targets: ["127.0.0.1:${target}"] }
`,
  );
  const reeve = path.join(root, 'dist', 'reeve.cjs');
  const program = { file: process.execPath, env: process.env };
  const child = await start(program, [reeve, 'up', '-q', '-c', config, '--log-level', 'warn'], port);
  return { port, pid: child.pid };
}

async function startHaproxy(target, name, extra) {
  const port = await freePort();
  const config = file(
    `${name}.cfg`,
    `global
  nbthread 1
  maxconn 4000
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
  server s 127.0.0.1:${target}
`,
  );
  const child = await start(haproxy, ['-f', config, '-db'], port);
  return { port, pid: child.pid };
}

async function startNginx(target) {
  const port = await freePort();
  const config = file(
    'stream.conf',
    `load_module ${streamModule()};
    daemon off; worker_processes 1; pid ${folder}/stream.pid; error_log ${folder}/log; user root;
    events { worker_connections 8000; }
    stream { server { listen 127.0.0.1:${port} backlog=4096; proxy_pass 127.0.0.1:${target}; } }`,
  );
  const child = await start(nginx, ['-c', config, '-p', folder], port);
  return { port, pid: child.pid };
}

/** Requests a second, and CPU microseconds for each. */
function requests({ port, pid }, ...words) {
  const before = cpuOf(pid);
  return new Promise((resolve, reject) => {
    const args = ['-t1', '-c64', `-d${seconds}s`, ...words, `http://127.0.0.1:${port}/`];
    const child = spawn(wrk.file, args, { env: wrk.env, stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (part) => {
      text += part;
    });
    child.once('close', () => {
      const count = Number(/(\d+) requests in/.exec(text)?.[1]);
      const rate = Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1]);
      if (!count || /Non-2xx|Socket errors: connect [1-9]/.test(text)) reject(new Error(text));
      else resolve({ rate, cost: ((cpuOf(pid) - before) / count) * 1e6 });
    });
  });
}

/** GB a second, and CPU seconds for each. */
function bulk({ port, pid }) {
  const before = cpuOf(pid);
  const began = performance.now();
  return new Promise((resolve, reject) => {
    let got = 0;
    const buffer = Buffer.alloc(256 * 1024);
    const socket = connect({
      port,
      host: '127.0.0.1',
      onread: {
        buffer,
        callback(size) {
          got += size;
          return true;
        },
      },
    });
    socket.write('GET /big HTTP/1.0\r\n\r\n');
    socket.once('error', reject);
    socket.once('close', () => {
      if (got < gibibyte) reject(new Error(`only ${got} bytes came`));
      const gigabytes = got / 1e9;
      resolve({
        rate: gigabytes / ((performance.now() - began) / 1000),
        cost: (cpuOf(pid) - before) / gigabytes,
      });
    });
  });
}

const measurements = {
  'keep-alive': (contender) => requests(contender),
  'new connections': (contender) => requests(contender, '-H', 'Connection: close'),
  bulk,
};

/** Each contender once a round, in turn, the first round for warming up. */
async function measure(contenders, measurement) {
  const values = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const [name, contender] of Object.entries(contenders)) {
      const value = await measurement(contender);
      if (round > 0) values[name].push(value);
    }
  }
  return Object.fromEntries(
    Object.entries(values).map(([name, all]) => [
      name,
      { rate: median(all.map(({ rate }) => rate)), cost: median(all.map(({ cost }) => cost)) },
    ]),
  );
}

function rowsOf(results, rate, cost) {
  const { rate: ours, cost: ourCost } = results['reeve (native)'];
  return Object.entries(results).map(([name, value]) => [
    name,
    rate(value.rate),
    ratio(ours, value.rate),
    cost(value.cost),
    ratio(ourCost, value.cost),
  ]);
}

try {
  const target = await startTarget();
  const all = {
    'reeve (native)': () => startReeve('native', target),
    'reeve (portable)': () => startReeve('portable', target),
    HAProxy: () => startHaproxy(target, 'haproxy', ''),
    'HAProxy (splice)': () => startHaproxy(target, 'haproxy-splice', 'option splice-auto'),
    'nginx stream': () => startNginx(target),
  };
  const contenders = {};
  for (const [name, begin] of Object.entries(all)) {
    if (!only || only.includes(name)) contenders[name] = await begin();
  }
  const results = {};
  for (const [name, measurement] of Object.entries(measurements)) {
    results[name] = await measure(contenders, measurement);
    console.error(name, results[name]);
  }
  const count = (number) => String(Math.round(number));
  const micro = (number) => `${number.toFixed(1)} µs`;
  const body = `One worker or thread each, 64 connections of wrk on the same two cores, the same target (nginx) behind all of them.
CPU is that of the whole relay; reeve's includes its control process.

Requests over connections that stay (goal: at least 1.0 × the better of HAProxy and nginx):

${table(['relay', 'requests/s', 'reeve / it', 'CPU a request', 'reeve / it'], rowsOf(results['keep-alive'], count, micro))}

A connection for each request (goal: at least 1.0 ×):

${table(['relay', 'connections/s', 'reeve / it', 'CPU a connection', 'reeve / it'], rowsOf(results['new connections'], count, micro))}

1 GiB over one connection (goal: CPU at most 0.5 × per GB):

${table(
  ['relay', 'GB/s', 'reeve / it', 'CPU s per GB', 'reeve / it'],
  rowsOf(
    results.bulk,
    (value) => value.toFixed(2),
    (value) => value.toFixed(2),
  ),
)}`;
  if (!only) {
    report('relay', {
      title: 'Relay: connections through one worker',
      body,
      versions: [haproxy, nginx, wrk].map(versionOf),
    });
  }
} finally {
  for (const child of children.reverse()) child.kill('SIGTERM');
  await Promise.all(
    children.map((child) =>
      child.exitCode !== null ? null : new Promise((resolve) => child.once('exit', resolve)),
    ),
  );
  rmSync(folder, { recursive: true, force: true });
}
