// A Consul agent of a test's own: on ports of its own, ended by its PID, and asked through its own HTTP API.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { eventually } from './children.ts';

export interface ConsulOptions {
  /** Merged into the agent's configuration. */
  config?: Record<string, unknown>;
  /** Keeps its data over a restart; otherwise it is a -dev agent, which keeps nothing. */
  keeps?: boolean;
  /** Put before the command: a namespace. */
  prefix?: string[];
  /** Where it listens; 127.0.0.1 where absent. */
  host?: string;
  token?: string;
  /** Serves https too, to clients of this authority alone. */
  tls?: { ca: string; cert: string; key: string };
}

export interface ConsulAgent {
  /** `http://127.0.0.1:PORT`. */
  readonly address: string;
  readonly port: number;
  /** `https://localhost:PORT`, where it has a certificate. */
  readonly secure: string;
  readonly pid: number;
  /** Asks its HTTP API, as an outsider would; null for 404. */
  api<Answer = unknown>(path: string, options?: { method?: string; body?: unknown }): Promise<Answer>;
  /** Its own command line. */
  cli(...words: string[]): Promise<string>;
  start(): Promise<void>;
  /** SIGKILL: nothing is said good-bye to. */
  kill(): Promise<void>;
  signal(name: 'SIGSTOP' | 'SIGCONT'): void;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Ready when it has elected itself and answers. */
export async function startConsul(options: ConsulOptions = {}): Promise<ConsulAgent> {
  const { prefix = [], host = '127.0.0.1', keeps = false, token, tls } = options;
  const folder = mkdtempSync(path.join(tmpdir(), 'reeve-consul-'));
  const [http, serf, server, https] = await freePorts(4);
  writeFileSync(
    path.join(folder, 'agent.json'),
    JSON.stringify({
      ...{ bind_addr: host, client_addr: host, disable_update_check: true, log_level: 'WARN' },
      ...{ node_name: `test-${http}`, leave_on_terminate: false, skip_leave_on_interrupt: true },
      ports: { http, https: tls ? https : -1, serf_lan: serf, server, dns: -1, grpc: -1, serf_wan: -1 },
      ...(tls && {
        ...{ ca_file: tls.ca, cert_file: tls.cert, key_file: tls.key },
        verify_incoming_https: true,
      }),
      // Elections of one take no time.
      performance: { raft_multiplier: 1 },
      // What a check says is told to the catalog at once, not within five minutes.
      check_update_interval: '0s',
      ...(keeps ? { server: true, bootstrap_expect: 1, data_dir: path.join(folder, 'data') } : {}),
      ...options.config,
    }),
  );
  const address = `http://${host}:${http}`;
  let child: ChildProcess | null = null;
  let said = '';

  async function api<Answer>(target: string, asked: { method?: string; body?: unknown } = {}) {
    const inside = prefix.length > 0;
    const { method = 'GET', body } = asked;
    if (inside) throw new Error('from outside of its namespace it cannot be asked');
    const response = await fetch(`${address}${target}`, {
      method,
      ...(token ? { headers: { 'x-consul-token': token } } : {}),
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      signal: AbortSignal.timeout(10_000),
    });
    const text = await response.text();
    if (response.status === 404) return null as Answer;
    if (!response.ok) throw new Error(`${method} ${target}: ${response.status} ${text}`);
    return (text === '' ? null : JSON.parse(text)) as Answer;
  }
  const words = (...more: string[]) => [...prefix, 'consul', ...more];
  async function cli(...more: string[]): Promise<string> {
    const [file, ...args] = words(...more);
    const env = { ...process.env, CONSUL_HTTP_ADDR: address, ...(token ? { CONSUL_HTTP_TOKEN: token } : {}) };
    return (await promisify(execFile)(file!, args, { env })).stdout;
  }
  async function start(): Promise<void> {
    const mode = keeps ? [] : ['-dev'];
    const [file, ...args] = words('agent', ...mode, `-config-file=${path.join(folder, 'agent.json')}`);
    const spawned = spawn(file!, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    child = spawned;
    for (const stream of [spawned.stdout, spawned.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        said = (said + text).slice(-20_000);
      });
    }
    await eventually(async () => {
      if (spawned.exitCode !== null) throw new Error(`consul ended with ${spawned.exitCode}: ${said}`);
      if (prefix.length > 0) return cli('kv', 'put', 'ready', '1').then(Boolean, () => false);
      const ready = await api('/v1/health/state/passing').catch(() => null);
      return Array.isArray(ready) && ready.length > 0;
    }, 30_000);
  }
  async function kill(): Promise<void> {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }
  try {
    await start();
  } catch (error) {
    await kill();
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  return {
    ...{ address, port: http!, secure: `https://localhost:${https}`, api, cli, start, kill },
    get pid() {
      return child!.pid!;
    },
    signal: (name) => void child!.kill(name),
    async [Symbol.asyncDispose]() {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}
