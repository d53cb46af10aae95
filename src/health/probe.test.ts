// Probes against real servers: what is up, what is down, and the word for why.
import { readFileSync } from 'node:fs';
import { createServer as createHttp, type RequestListener } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { needs } from '../../test/support/parts.ts';
import { isSelfConnected } from './connect.ts';
import { probe } from './probe.ts';

const never = new AbortController().signal;
const opened: Server[] = [];
const accepted = new Set<Socket>();

async function listening(server: Server, host = '127.0.0.1'): Promise<number> {
  opened.push(server);
  server.on('connection', (socket: Socket) => {
    accepted.add(socket);
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, host, resolve));
  return (server.address() as AddressInfo).port;
}

const httpPort = (listener: RequestListener) => listening(createHttp(listener));

async function closedPort(): Promise<number> {
  const server = createServer();
  const port = await listening(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

afterEach(async () => {
  for (const socket of accepted) socket.destroy();
  accepted.clear();
  await Promise.all(opened.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

const check = (url: string, options: Partial<Parameters<typeof probe>[1]> = {}, signal = never) =>
  probe(url, { timeout: 10_000, ...options }, signal);

describe('tcp', () => {
  test('a port that accepts is up, and the detail names the address that answered', async () => {
    const port = await listening(createServer());
    expect(await check(`tcp://127.0.0.1:${port}`)).toMatchObject({
      verdict: 'up',
      reason: null,
      detail: `127.0.0.1:${port} accepted the connection`,
    });
  });

  test('a closed port is down: refused', async () => {
    const port = await closedPort();
    expect(await check(`tcp://127.0.0.1:${port}`)).toMatchObject({
      verdict: 'down',
      reason: 'refused',
      detail: `connection refused (127.0.0.1:${port})`,
    });
  });

  test('localhost is up when the server listens on IPv4 alone, although ::1 comes first', async () => {
    const port = await listening(createServer(), '127.0.0.1');
    const result = await check(`tcp://localhost:${port}`);
    expect(result).toMatchObject({ verdict: 'up', detail: `127.0.0.1:${port} accepted the connection` });
  });

  test.runIf(needs('a probe of an IPv6 server by name', 'ipv6'))(
    'localhost is up when the server listens on IPv6 alone',
    async () => {
      const port = await listening(createServer(), '::1');
      const result = await check(`tcp://localhost:${port}`);
      expect(result).toMatchObject({ verdict: 'up', detail: `[::1]:${port} accepted the connection` });
    },
  );

  test('a name without address is down: dns', async () => {
    expect(await check('tcp://no-such-name.invalid:80')).toMatchObject({ verdict: 'down', reason: 'dns' });
  });

  test('it closes with FIN, even when the server spoke first', async () => {
    const server = createServer((socket) => socket.end('220 a banner that the probe does not ask for\r\n'));
    const closed = new Promise<boolean>((resolve) =>
      server.once('connection', (socket: Socket) => {
        socket.on('error', () => resolve(true));
        socket.on('end', () => resolve(false));
        socket.resume();
      }),
    );
    const port = await listening(server);
    await check(`tcp://127.0.0.1:${port}`);
    expect(await closed, 'the server saw a reset').toBe(false);
  });

  test('a socket that has connected to itself is recognised', async () => {
    const port = await closedPort();
    const socket = connect({ host: '127.0.0.1', port, localAddress: '127.0.0.1', localPort: port });
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    expect(isSelfConnected(socket)).toBe(true);
    socket.destroy();
    const other = connect({ host: '127.0.0.1', port: await listening(createServer()) });
    await new Promise((resolve) => other.once('connect', resolve));
    expect(isSelfConnected(other)).toBe(false);
    other.destroy();
  });
});

describe('http', () => {
  test.each([
    [200, 'up'],
    [204, 'up'],
    [301, 'up'],
    [404, 'down'],
    [503, 'down'],
  ] as const)('status %d is %s, and redirects are not followed', async (status, verdict) => {
    let requests = 0;
    const port = await httpPort((_, response) => {
      requests += 1;
      response.writeHead(status, { location: '/elsewhere' }).end();
    });
    const result = await check(`http://127.0.0.1:${port}/healthz`);
    expect(result.verdict).toBe(verdict);
    expect(result.reason).toBe(verdict === 'down' ? 'status' : null);
    expect(result.detail).toMatch(new RegExp(`^${status} .*from 127.0.0.1:${port}$`));
    expect(requests).toBe(1);
  });

  test('the healthy statuses can be chosen', async () => {
    const port = await httpPort((_, response) => response.writeHead(401).end());
    const url = `http://127.0.0.1:${port}/`;
    expect((await check(url, { status: new Set([401]) })).verdict).toBe('up');
    expect((await check(url, { status: new Set([200]) })).verdict).toBe('down');
  });

  test('the request asks for the path, names the host as written, and ends the connection', async () => {
    const port = await httpPort((request, response) => {
      const { host, connection } = request.headers;
      const expected = `GET /a%20b?c=d localhost:${port} close`;
      response.statusCode = `${request.method} ${request.url} ${host} ${connection}` === expected ? 200 : 400;
      response.end();
    });
    expect((await check(`http://localhost:${port}/a b?c=d`)).verdict).toBe('up');
  });

  test('a body without end is read up to a bound', async () => {
    let sent = 0;
    const port = await httpPort((_, response) => {
      // Node 26 tells each write of a connection that was cut its error before the response is destroyed.
      const more = (error?: Error | null) => {
        if (error || response.destroyed) return;
        sent += 16_384;
        response.write(Buffer.alloc(16_384), more);
      };
      more();
    });
    expect((await check(`http://127.0.0.1:${port}/`)).verdict).toBe('up');
    expect(sent).toBeGreaterThanOrEqual(64 * 1024);
  });

  test('a server that never answers is down after the timeout: the rest of the world is not waited for', async () => {
    const port = await httpPort(() => {});
    expect(await check(`http://127.0.0.1:${port}/`, { timeout: 100 })).toMatchObject({
      verdict: 'down',
      reason: 'timeout',
      detail: 'timed out after 100ms waiting for the response',
    });
  });

  test('a body that stops in the middle is down after the timeout', async () => {
    const port = await httpPort((_, response) => response.writeHead(200).write('half'));
    expect(await check(`http://127.0.0.1:${port}/`, { timeout: 200 })).toMatchObject({
      reason: 'timeout',
      detail: 'timed out after 200ms reading the response',
    });
  });

  test('a connection that ends early is down: reset', async () => {
    const port = await listening(createServer((socket) => socket.once('data', () => socket.end())));
    expect(await check(`http://127.0.0.1:${port}/`)).toMatchObject({ verdict: 'down', reason: 'reset' });
    const cut = await httpPort((_, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('half', () => response.socket?.destroy());
    });
    expect(await check(`http://127.0.0.1:${cut}/`)).toMatchObject({ verdict: 'down', reason: 'reset' });
  });

  test('what is not HTTP is down: protocol, with nothing in the detail that could steer a terminal', async () => {
    const port = await listening(createServer((socket) => socket.end('SSH-2.0-\x1b[31mred\r\n')));
    const result = await check(`http://127.0.0.1:${port}/`);
    expect(result).toMatchObject({ verdict: 'down', reason: 'protocol' });
    expect(result.detail).not.toContain('\x1b');
  });

  test('a certificate that does not verify is down: tls, unless that is allowed', async () => {
    const fixture = (name: string) =>
      readFileSync(new URL(`../../test/fixtures/tls/${name}`, import.meta.url));
    const server = createHttps(
      { key: fixture('self-signed.key'), cert: fixture('self-signed.crt') },
      (_, response) => response.end('ok'),
    );
    const port = await listening(server);
    const url = `https://localhost:${port}/`;
    expect(await check(url)).toMatchObject({ verdict: 'down', reason: 'tls' });
    expect((await check(url)).detail).toContain('DEPTH_ZERO_SELF_SIGNED_CERT');
    expect(await check(url, { insecure: true })).toMatchObject({ verdict: 'up' });
  });

  test('a plain server behind https:// is down: tls', async () => {
    const port = await httpPort((_, response) => response.end());
    expect(await check(`https://127.0.0.1:${port}/`)).toMatchObject({ verdict: 'down', reason: 'tls' });
  });

  test('a handshake that never ends is down: timeout', async () => {
    const port = await listening(createServer());
    const result = await check(`https://127.0.0.1:${port}/`, { timeout: 100 });
    expect(result).toMatchObject({ reason: 'timeout', detail: 'timed out after 100ms in the TLS handshake' });
  });
});

test('the caller can cancel, before and during', async () => {
  await expect(check('tcp://127.0.0.1:1', {}, AbortSignal.abort())).rejects.toMatchObject({
    code: 'aborted',
  });
  const cancel = new AbortController();
  const port = await httpPort(() => cancel.abort());
  await expect(check(`http://127.0.0.1:${port}/`, {}, cancel.signal)).rejects.toMatchObject({
    code: 'aborted',
  });
});

test.each([
  ['unix:', /names no socket/],
  ['exec:', /names no program/],
  ['gopher://host/', /is not a URL to check: accepted are tcp/],
  ['constructor://host/', /is not a URL to check/],
  ['localhost:3000', /is not a URL to check/],
  ['tcp://localhost', /host/],
  ['tcp://localhost:99999', /is not a port/],
  ['http://', /is not a URL/],
])('%s is wrong usage, and the message says what is accepted', async (url, message) => {
  await expect(check(url)).rejects.toMatchObject({ code: 'usage', message: expect.stringMatching(message) });
});
