// Probes of every scheme against real servers: gRPC, TLS with an expired certificate, UDP, unix sockets, commands.

import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttp, type RequestListener } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createServer as createTls } from 'node:tls';
import { Server as GrpcServer, ServerCredentials } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import { afterEach, describe, expect, test } from 'vitest';
import { type ProbeOptions, probe } from '../../src/health/index.ts';
import { selectSystem } from '../../src/system/select.ts';
import { eventually } from '../support/children.ts';
import { needs } from '../support/parts.ts';

const never = new AbortController().signal;
const check = (url: string, options: Partial<ProbeOptions> = {}, signal = never) =>
  probe(url, { timeout: 10_000, ...options }, signal);

const tidy: (() => unknown)[] = [];
afterEach(async () => {
  for (const task of tidy.splice(0).reverse()) await task();
});

async function listening(server: Server, where: number | string = 0): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
  });
  tidy.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  const place = typeof where === 'string' ? [where] : [where, '127.0.0.1'];
  await new Promise<void>((resolve) => server.listen(...(place as [number, string]), resolve));
  return (server.address() as AddressInfo).port;
}

const httpPort = (listener: RequestListener) => listening(createHttp(listener));
const fixture = (name: string) => path.join(import.meta.dirname, '../fixtures/tls', name);
const tlsPort = (name: string) => {
  const server = createTls({
    key: readFileSync(fixture(`${name}.key`)),
    cert: readFileSync(fixture(`${name}.crt`)),
  });
  // A client that does not like the certificate.
  server.on('tlsClientError', () => {});
  return listening(server);
};

function folder(): string {
  const made = mkdtempSync(path.join(tmpdir(), 'reeve-probes-'));
  tidy.push(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

describe('tcp with send and expect', () => {
  const echo = () =>
    listening(createServer((socket) => socket.once('data', (chunk) => socket.end(`+${chunk}`))));

  test('the expected answer is up, another is down, a silent server is down after the timeout', async () => {
    const url = `tcp://127.0.0.1:${await echo()}`;
    expect(await check(url, { send: 'PING', expect: '+PING' })).toMatchObject({
      verdict: 'up',
      facts: { matched: true },
    });
    expect(await check(url, { send: 'PING', expect: '/^.P.N/' })).toMatchObject({ verdict: 'up' });
    expect(await check(url, { send: 'hex:50 4f', expect: 'hex:2b504f' })).toMatchObject({ verdict: 'up' });
    expect(await check(url, { send: 'x\x1b[31m', expect: 'PONG' })).toMatchObject({
      verdict: 'down',
      reason: 'mismatch',
      detail: expect.stringMatching(/did not answer as expected, but '\+x \[31m'$/),
    });
    const silent = await listening(createServer());
    expect(await check(`tcp://127.0.0.1:${silent}`, { expect: '220', timeout: 100 })).toMatchObject({
      reason: 'timeout',
      detail: 'timed out after 100ms waiting for the answer',
    });
  });

  test('an answer without end is read up to a bound', async () => {
    const port = await listening(
      createServer((socket) => {
        const more = () => socket.write(Buffer.alloc(16_384), () => !socket.destroyed && setImmediate(more));
        more();
      }),
    );
    expect(await check(`tcp://127.0.0.1:${port}`, { expect: 'never' })).toMatchObject({ reason: 'mismatch' });
  });
});

describe('http', () => {
  test('method, headers and body are as they were asked for', async () => {
    const port = await httpPort((request, response) => {
      response.statusCode = request.method === 'POST' && request.headers['x-key'] === 'a' ? 200 : 400;
      response.end('{"status":"pass"}');
    });
    const url = `http://127.0.0.1:${port}/`;
    const asked = { method: 'POST', headers: { 'X-Key': 'a' } };
    expect(await check(url, { ...asked, expect: '"pass"' })).toMatchObject({
      verdict: 'up',
      facts: { status: 200 },
    });
    expect(await check(url, { ...asked, expect: '"fail"' })).toMatchObject({
      verdict: 'down',
      reason: 'mismatch',
    });
    expect(await check(url)).toMatchObject({ verdict: 'down', reason: 'status' });
  });

  test('429 is degraded, unless it is said to be healthy or is not', async () => {
    const port = await httpPort((_, response) => response.writeHead(429).end());
    const url = `http://127.0.0.1:${port}/`;
    expect(await check(url)).toMatchObject({ verdict: 'up', degraded: true, reason: 'busy' });
    expect(await check(url, { status: new Set([429]) })).toMatchObject({ verdict: 'up', reason: null });
  });

  test('redirects are followed only as far as asked, and never away from HTTP', async () => {
    const port = await httpPort((request, response) => {
      if (request.url === '/file') response.writeHead(302, { location: 'file:///etc/passwd' }).end();
      else if (request.url === '/a') response.writeHead(302, { location: '/b' }).end();
      else response.writeHead(500).end();
    });
    const url = `http://127.0.0.1:${port}`;
    expect(await check(`${url}/a`)).toMatchObject({ verdict: 'up', facts: { status: 302 } });
    expect(await check(`${url}/a`, { redirects: 1 })).toMatchObject({
      verdict: 'down',
      facts: { status: 500, redirects: 1 },
    });
    expect(await check(`${url}/file`, { redirects: 1 })).toMatchObject({
      verdict: 'down',
      reason: 'protocol',
    });
  });
});

describe('tls', () => {
  test('an expired certificate is down, also where certificates need not verify', async () => {
    const url = `tls://localhost:${await tlsPort('expired')}`;
    const ca = fixture('expired.crt');
    expect(await check(url, { ca })).toMatchObject({ verdict: 'down', reason: 'expired' });
    expect(await check(url, { insecure: true })).toMatchObject({
      verdict: 'down',
      reason: 'expired',
      detail: 'the certificate has ended on 2021-01-01',
    });
  });

  test('one that is trusted is up, one that ends within minDays is degraded, and both say when', async () => {
    const url = `tls://localhost:${await tlsPort('self-signed')}`;
    const ca = fixture('self-signed.crt');
    const up = await check(url, { ca });
    expect(up).toMatchObject({ verdict: 'up', reason: null, facts: { tls: 'TLSv1.3' } });
    expect(new Date(up.facts!.certificateExpiresAt!).toISOString()).toMatch(/^2126-/);
    expect(await check(url, { ca, minDays: 100_000 })).toMatchObject({
      verdict: 'up',
      degraded: true,
      reason: 'expiring',
      detail: expect.stringMatching(/the certificate ends on 2126-\d\d-\d\d, in \d+ days/),
    });
    expect(await check(url)).toMatchObject({ verdict: 'down', reason: 'tls' });
    expect(await check(url, { ca: '/nowhere.pem' })).toMatchObject({ verdict: 'unknown', reason: 'local' });
  });
});

describe('grpc', () => {
  async function grpcPort(credentials = ServerCredentials.createInsecure(), host = '127.0.0.1') {
    const server = new GrpcServer();
    const health = new HealthImplementation({ '': 'SERVING', 'my.Api': 'SERVING' });
    health.addToServer(server);
    tidy.push(() => server.forceShutdown());
    const port = await new Promise<number>((resolve, reject) =>
      server.bindAsync(`${host}:0`, credentials, (error, bound) => (error ? reject(error) : resolve(bound))),
    );
    return { port, health };
  }

  test('the server, a service of it, one that does not serve, and one that it does not know', async () => {
    const { port, health } = await grpcPort();
    const url = `grpc://localhost:${port}`;
    expect(await check(url)).toMatchObject({
      verdict: 'up',
      detail: `the server is SERVING at 127.0.0.1:${port}`,
      facts: { address: `127.0.0.1:${port}` },
    });
    expect(await check(`${url}/my.Api`)).toMatchObject({ verdict: 'up' });
    health.setStatus('my.Api', 'NOT_SERVING');
    expect(await check(`${url}/my.Api`)).toMatchObject({ verdict: 'down', reason: 'not-serving' });
    expect(await check(`${url}/${'long'.repeat(50)}`)).toMatchObject({
      verdict: 'down',
      reason: 'not-serving',
    });
  });

  test('nobody, somebody else, and a server that hangs', async () => {
    const { port } = await grpcPort();
    for (const task of tidy.splice(0)) await task();
    expect(await check(`grpc://127.0.0.1:${port}`)).toMatchObject({ verdict: 'down', reason: 'refused' });
    const hanging = await listening(createServer());
    expect(await check(`grpc://127.0.0.1:${hanging}`, { timeout: 300 })).toMatchObject({
      verdict: 'down',
      reason: 'timeout',
    });
    const other = await listening(createServer((socket) => socket.end('SSH-2.0\r\n')));
    expect(await check(`grpc://127.0.0.1:${other}`)).toMatchObject({ verdict: 'down' });
  });

  test('over TLS, only with a certificate that verifies', async () => {
    const pair = {
      private_key: readFileSync(fixture('self-signed.key')),
      cert_chain: readFileSync(fixture('self-signed.crt')),
    };
    const { port } = await grpcPort(ServerCredentials.createSsl(null, [pair]));
    const url = `grpcs://localhost:${port}`;
    expect(await check(url, { ca: fixture('self-signed.crt') })).toMatchObject({ verdict: 'up' });
    expect(await check(url, { insecure: true })).toMatchObject({ verdict: 'up' });
    expect(await check(url)).toMatchObject({ verdict: 'down', reason: 'tls' });
  });
});

describe('udp', () => {
  async function udpPort(
    answer: (socket: UdpSocket, from: { port: number; address: string }, text: string) => void,
  ) {
    const socket = createSocket('udp4');
    socket.on('message', (message, from) => answer(socket, from, String(message)));
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    tidy.push(() => new Promise<void>((resolve) => socket.close(resolve)));
    return socket.address().port;
  }

  test('an answer is up, silence is unknown unless an answer is demanded, a closed port is down', async () => {
    const port = await udpPort((socket, from, text) => {
      if (text === 'ping') socket.send('pong', from.port, from.address);
    });
    const url = `udp://127.0.0.1:${port}`;
    expect(await check(url, { send: 'ping' })).toMatchObject({
      verdict: 'up',
      facts: { address: url.slice(6) },
    });
    expect(await check(url, { send: 'ping', expect: 'pong' })).toMatchObject({ verdict: 'up' });
    expect(await check(url, { send: 'ping', expect: 'peng' })).toMatchObject({ reason: 'mismatch' });
    const silent = { send: 'hush', timeout: 200 };
    expect(await check(url, silent)).toMatchObject({ verdict: 'unknown', reason: 'silent' });
    expect(await check(url, { ...silent, expect: 'pong' })).toMatchObject({
      verdict: 'down',
      reason: 'silent',
    });
  });

  test.runIf(needs('ICMP for a closed UDP port', 'linux'))('a closed port is down: refused', async () => {
    const port = await udpPort(() => {});
    for (const task of tidy.splice(0)) await task();
    expect(await check(`udp://127.0.0.1:${port}`)).toMatchObject({ verdict: 'down', reason: 'refused' });
    expect(await check(`udp://localhost:${port}`)).toMatchObject({ verdict: 'down', reason: 'refused' });
  });
});

describe.runIf(needs('probes of unix sockets and commands', 'linux'))('on this machine', () => {
  test('unix: a socket that accepts is up; one without server, or none at all, is down', async () => {
    const file = path.join(folder(), 'app.sock');
    expect(await check(`unix:${file}`)).toMatchObject({ verdict: 'down', reason: 'unreachable' });
    await listening(
      createServer((socket) => socket.once('data', (chunk) => socket.end(chunk))),
      file,
    );
    expect(await check(`unix:${file}`)).toMatchObject({
      verdict: 'up',
      detail: `${file} accepted the connection`,
    });
    expect(await check(`unix:${file}`, { send: 'hello', expect: 'hello' })).toMatchObject({ verdict: 'up' });
    const plain = path.join(folder(), 'plain');
    writeFileSync(plain, '');
    expect(await check(`unix:${plain}`)).toMatchObject({ verdict: 'down' });
  });

  test.each([
    ['exit 0', { verdict: 'up', reason: null, detail: 'exit code 0' }],
    ['echo slow; exit 1', { verdict: 'up', degraded: true, reason: 'warning', detail: 'exit code 1: slow' }],
    ['echo broken >&2; exit 2', { verdict: 'down', reason: 'exit', detail: 'exit code 2: broken' }],
    ['kill -9 $$', { verdict: 'down', reason: 'exit', detail: 'killed by SIGKILL' }],
    ['yes | head -c 1000000', { verdict: 'up' }],
  ])('exec: %s', async (script, found) => {
    const system = await selectSystem();
    const result = await check(`exec:sh -c "${script.replaceAll('"', '')}"`, { system });
    expect(result).toMatchObject(found);
    expect(result.detail!.length).toBeLessThan(400);
  });

  test('exec: a program that is not there says nothing of the service', async () => {
    const system = await selectSystem();
    const result = await check('exec:/nowhere/check', { system });
    expect(result).toMatchObject({ verdict: 'unknown', reason: 'local' });
  });

  test('exec: at the timeout the whole subtree is killed, also who ignores SIGTERM and left the group', async () => {
    const system = await selectSystem();
    const home = folder();
    const script = path.join(home, 'stubborn.sh');
    const inner = `trap "" TERM; echo $$ > ${home}/inner; while :; do sleep 0.1; done`;
    writeFileSync(script, `#!/bin/sh\ntrap '' TERM\nsetsid sh -c '${inner}' &\nwait\n`);
    chmodSync(script, 0o755);
    const started = performance.now();
    const result = await check(`exec:${script}`, { system, timeout: 1000 });
    expect(result).toMatchObject({ verdict: 'down', reason: 'timeout' });
    expect(result.detail).toBe('timed out after 1s running the command');
    // The time of the probe is its own, not that of the clearing up.
    expect(result.ms).toBeLessThan(performance.now() - started);
    expect(existsSync(`${home}/inner`)).toBe(true);
    const pid = Number(readFileSync(`${home}/inner`, 'utf8'));
    await eventually(async () => (await system.processes.identify(pid)) === null);
  });
});
