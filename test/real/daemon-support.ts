// For the daemon's tests: a configuration in a folder of its own, a daemon on it, and requests with any header.
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Writable } from 'node:stream';
import { afterEach } from 'vitest';
import { type Log, silentLog } from '../../src/core/context.ts';
import { type Daemon, type DaemonOptions, startDaemon } from '../../src/daemon/index.ts';
import { selectSystem } from '../../src/system/select.ts';

export interface House {
  folder: string;
  file: string;
  write(yaml: string): void;
}

const folders: string[] = [];
const daemons: Daemon[] = [];

/** Each worker leases from ports of its own, since daemons do not know of each other. */
const firstPort = 20_000 + (process.pid % 110) * 100;
export const preamble = `
control: { listen: "127.0.0.1:0" }
state: ./state
ports: { range: ${firstPort}-${firstPort + 99} }
`;

/** Answers with its PID; /hold answers once somebody asks for /release. */
const server = `
import { createServer } from 'node:http';
const held = [];
const server = createServer((request, response) => {
  response.setHeader('connection', 'close');
  if (request.url === '/hold') {
    response.write('begun ');
    held.push(response);
  } else if (request.url === '/release') {
    for (const each of held.splice(0)) each.end('and ended');
    response.end('released');
  } else response.end(String(process.pid));
});
server.listen(Number(process.env.PORT), '127.0.0.1');
process.on('SIGTERM', () => process.exit(0));
`;

/** A service of two instances named `app` with server.mjs, checked often. */
export const appService = `
  app:
    command: ["${process.execPath}", server.mjs]
    instances: 2
    check: { http: /, interval: 200ms, fastInterval: 100ms }
    restart: { backoff: 100ms..1s }
`;

export function house(yaml: string): House {
  const folder = mkdtempSync(path.join(tmpdir(), 'reeve-daemon-'));
  const file = path.join(folder, 'reeve.yaml');
  folders.push(folder);
  const write = (text: string) => writeFileSync(file, preamble + text);
  write(yaml);
  writeFileSync(path.join(folder, 'server.mjs'), server);
  return { folder, file, write };
}

export async function start(
  { file }: Pick<House, 'file'>,
  options: Partial<DaemonOptions> & { log?: Log } = {},
): Promise<Daemon> {
  const daemon = await startDaemon(
    {
      configFile: file,
      system: await selectSystem(),
      env: { ...process.env, REEVE_LEASES: path.join(path.dirname(file), 'leases') },
      stdout: new Writable({ write: (_chunk, _encoding, done) => done() }),
      log: silentLog,
      version: 'test',
      ...options,
    },
    AbortSignal.timeout(55_000),
  );
  daemons.push(daemon);
  return daemon;
}

afterEach(async () => {
  await Promise.all(daemons.splice(0).map((daemon) => daemon.drainAndStop()));
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** `host:port` that a listener is bound to. */
export function addressOf(daemon: Pick<Daemon, 'status'>, listener: string): string {
  return daemon.status().listeners.find(({ name }) => name === listener)!.binds[0]!.address;
}

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
}

/** One request on a connection of its own. */
export async function ask(
  address: string,
  target: string,
  options: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> {
  const { hostname, port } = new URL(`http://${address}`);
  const { method = 'GET', headers = {}, body } = options;
  const asked = request({
    host: hostname.replace(/^\[|\]$/g, ''),
    port,
    method,
    path: target,
    headers,
    agent: false,
  });
  asked.end(body);
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += chunk;
  return { status: response.statusCode!, headers: response.headers, text };
}

export async function askJson<T>(address: string, target: string): Promise<T> {
  return JSON.parse((await ask(address, target)).text) as T;
}
