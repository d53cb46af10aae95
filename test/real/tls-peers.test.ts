// TLS and the PROXY protocol with programs of others: openssl s_client, curl, and HAProxy before and behind a daemon.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import path from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import type { Daemon } from '../../src/daemon/index.ts';
import { type Authority, createAuthority } from '../support/authority.ts';
import { eventually } from '../support/children.ts';
import { needs, program } from '../support/parts.ts';
import { addressOf, ask, house, start } from './daemon-support.ts';

const runs = needs('TLS with real clients', 'openssl', 'curl');
const authority: Authority | null = runs ? createAuthority() : null;
afterAll(() => authority?.remove());

const servers: Server[] = [];
const children: ChildProcess[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) server.close();
  for (const child of children.splice(0)) {
    if (child.exitCode === null && child.signalCode === null) {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    }
  }
});

/** Answers any request with `name` and what came before it. */
async function place(name: string): Promise<string> {
  const server = createServer((socket) => {
    let heard = '';
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      heard += chunk.toString('latin1');
      const at = heard.indexOf('GET ');
      if (at < 0 || !heard.includes('\r\n\r\n')) return;
      const body = `${name}|${heard.slice(0, at).trim()}`;
      socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  servers.push(server);
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function run(command: string, args: string[], input = '') {
  return new Promise<{ status: number | null; text: string }>((resolve) => {
    const child = spawn(program(command)!, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
    }
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    child.on('close', (status) => resolve({ status, text }));
  });
}

const portOf = (daemon: Daemon, name: string) => addressOf(daemon, name).split(':').at(-1)!;
const curl = (port: string, name: string, ...more: string[]) => {
  const to = ['--resolve', `${name}:${port}:127.0.0.1`, '--cacert', authority!.ca, '--max-time', '20'];
  return run('curl', ['-sS', '--http1.1', ...to, ...more, `https://${name}:${port}/`]);
};
const listener = (daemon: Daemon) => daemon.status().listeners[0]!;

describe.runIf(runs)('TLS that ends here', () => {
  it('curl gets the certificate and the service of the name that it asks for', async () => {
    const [a, other] = [await place('a'), await place('default')];
    const own = authority!.issue('a', ['a.example.com']);
    const wild = authority!.issue('wild', ['*.example.com']);
    const daemon = await start(
      house(`
listeners:
  web:
    bind: ["127.0.0.1:0"]
    balance: { targets: ["${other}"] }
    tls:
      cert: ${wild.cert}
      key: ${wild.key}
      sni: { a.example.com: { cert: ${own.cert}, key: ${own.key}, targets: ["${a}"] } }
`),
    );
    const port = portOf(daemon, 'web');
    expect(await curl(port, 'a.example.com')).toEqual({ status: 0, text: 'a|' });
    expect(await curl(port, 'b.example.com')).toEqual({ status: 0, text: 'default|' });
    const { engine, engineReason, certificates, targets } = listener(daemon);
    expect([engine, engineReason]).toEqual([
      'portable',
      expect.stringMatching(/TLS|portable|not built|worker/),
    ]);
    expect(certificates.map(({ serverName, subject }) => [serverName, subject])).toEqual([
      [null, 'CN=*.example.com'],
      ['a.example.com', 'CN=a.example.com'],
    ]);
    expect(targets.map(({ id }) => id).sort()).toEqual([a, other].sort());
    const { text } = await ask(daemon.address, '/metrics');
    expect(text).toMatch(
      /certificate_expiry_seconds\{listener="web",server_name="a.example.com"\} 2[45]\d{5}/,
    );
    await eventually(() => listener(daemon).connections.active === 0);
    expect(listener(daemon).ended).toEqual({ done: 2 });
  });

  it('openssl agrees on a version and a protocol, and is told why it may not come in', async () => {
    const { cert, key } = authority!.issue('localhost', ['localhost']);
    const client = authority!.issue('client', ['client']);
    const daemon = await start(
      house(`
listeners:
  web:
    bind: ["127.0.0.1:0"]
    balance: { targets: ["${await place('web')}"] }
    tls: { cert: ${cert}, key: ${key}, clientCa: ${authority!.ca}, alpn: [http/1.1], minVersion: 1.3 }
`),
    );
    const at = ['s_client', '-connect', `127.0.0.1:${portOf(daemon, 'web')}`, '-CAfile', authority!.ca];
    const request = 'GET / HTTP/1.1\r\n\r\n';
    const shown = ['-cert', client.cert, '-key', client.key, '-ign_eof'];
    const good = await run('openssl', [...at, ...shown, '-alpn', 'h2,http/1.1'], request);
    expect(good.text).toContain('ALPN protocol: http/1.1');
    expect(good.text).toContain('Verify return code: 0 (ok)');
    expect(good.text).toContain('web|');
    const bare = await run('openssl', [...at, '-ign_eof'], request);
    expect(bare.text).toContain('alert certificate required');
    const old = await run('openssl', [...at, '-tls1_2']);
    expect(old.text).toContain('alert protocol version');
    const strange = await run('openssl', [...at, ...shown, '-alpn', 'spdy/3']);
    expect(strange.text).toContain('alert no application protocol');
    const distrusting = await run('curl', ['-sS', `https://localhost:${portOf(daemon, 'web')}/`]);
    expect(distrusting.status).toBe(60);
    await eventually(() => Object.keys(listener(daemon).refused).length === 4);
    expect(listener(daemon).refused).toEqual({
      'tls-client-certificate': 1,
      'tls-version': 1,
      'tls-protocol': 1,
      'tls-rejected': 1,
    });
  });

  it('takes up changed files and reloads, leaves connections alone, and stays as it is where a file is bad', async () => {
    const first = authority!.issue('first', ['localhost']);
    const second = authority!.issue('second', ['localhost'], 3);
    const home = house('');
    const install = (from: { cert: string; key: string }) => {
      copyFileSync(from.cert, path.join(home.folder, 'cert.pem'));
      copyFileSync(from.key, path.join(home.folder, 'key.pem'));
    };
    install(first);
    home.write(`
listeners:
  web:
    bind: ["127.0.0.1:0"]
    balance: { targets: ["${await place('web')}"] }
    tls: { cert: cert.pem, key: key.pem }
`);
    const logged: string[] = [];
    const warn = (fields: object, message = '') => void logged.push(`${message} ${JSON.stringify(fields)}`);
    const daemon = await start(home, { log: { debug() {}, info() {}, warn, error: warn } });
    const expiry = () => listener(daemon).certificates[0]!.expiresIn / 86_400;
    const port = portOf(daemon, 'web');
    const open = spawn(program('openssl')!, ['s_client', '-connect', `127.0.0.1:${port}`, '-quiet']);
    children.push(open);
    await eventually(() => listener(daemon).connections.active === 1);
    expect(expiry()).toBeGreaterThan(20);
    install(second);
    await eventually(() => expiry() < 14, 20_000);
    await eventually(() => logged.some((line) => line.includes('expires in 2 d')), 20_000);
    writeFileSync(path.join(home.folder, 'cert.pem'), 'no certificate');
    await expect(daemon.reload()).rejects.toThrow(/listener web: .*cert\.pem is no certificate in PEM/);
    copyFileSync(first.cert, path.join(home.folder, 'cert.pem'));
    await expect(daemon.reload()).rejects.toThrow(/key\.pem is not the key of .*cert\.pem/);
    expect((await curl(port, 'localhost')).text).toBe('web|');
    install(first);
    await daemon.reload();
    expect(expiry()).toBeGreaterThan(20);
    expect(listener(daemon).connections.active).toBe(1);
    let answer = '';
    open.stdout.on('data', (part) => {
      answer += part;
    });
    open.stdin.write('GET / HTTP/1.1\r\n\r\n');
    await eventually(() => answer.endsWith('web|'));
  });

  it('a certificate that cannot be read is a configuration error', async () => {
    const home = house(`
listeners:
  web: { bind: ["127.0.0.1:0"], balance: { targets: ["127.0.0.1:1"] }, tls: { cert: none.pem, key: none.key } }
`);
    await expect(start(home)).rejects.toThrow(/listener web: .*none\.pem cannot be read: ENOENT/);
  });
});

describe.runIf(runs)('TLS that is passed through', () => {
  it('goes by name to another listener that ends it, and unknown names are refused', async () => {
    const { cert, key } = authority!.issue('inner', ['a.example.com']);
    const inner = await start(
      house(`
listeners:
  inner: { bind: ["127.0.0.1:0"], balance: { targets: ["${await place('inner')}"] }, tls: { cert: ${cert}, key: ${key} } }
`),
    );
    const outer = await start(
      house(`
listeners:
  outer:
    bind: ["127.0.0.1:0"]
    balance: { targets: ["${addressOf(inner, 'inner')}"] }
    tls: { mode: passthrough, sni: { a.example.com: {} }, unknownName: refuse }
`),
    );
    const port = portOf(outer, 'outer');
    expect(await curl(port, 'a.example.com')).toEqual({ status: 0, text: 'inner|' });
    expect((await curl(port, 'b.example.com')).status).not.toBe(0);
    expect(
      (await run('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, '-noservername'])).status,
    ).toBe(1);
    await eventually(() => listener(outer).refused['server-name'] === 2);
  });
});

const announced = '{ accept: true, from: ["127.0.0.1"], send: v1 }';

describe.runIf(runs)('the PROXY protocol', () => {
  it('curl announces itself', async () => {
    const daemon = await start(
      house(`
listeners:
  web: { bind: ["127.0.0.1:0"], balance: { targets: ["${await place('web')}"] }, proxyProtocol: ${announced} }
`),
    );
    const port = portOf(daemon, 'web');
    const { text } = await run('curl', ['-sS', '--haproxy-protocol', `http://127.0.0.1:${port}/`]);
    expect(text).toMatch(new RegExp(`^web\\|PROXY TCP4 127.0.0.1 127.0.0.1 \\d+ ${port}$`));
    expect((await run('curl', ['-sS', `http://127.0.0.1:${port}/`])).status).not.toBe(0);
    expect(listener(daemon).refused).toEqual({ 'proxy-invalid': 1 });
  });

  describe.runIf(needs('PROXY headers of HAProxy', 'haproxy', 'linux'))('HAProxy', () => {
    it.each([
      ['version 1', 'send-proxy'],
      ['version 2', 'send-proxy-v2'],
      ['version 2 with a checksum and TLVs', 'send-proxy-v2 proxy-v2-options crc32c,unique-id'],
    ])('announces its clients in %s', async (_what, options) => {
      const daemon = await start(
        house(`
listeners:
  web: { bind: ["127.0.0.1:0"], balance: { targets: ["${await place('web')}"] }, proxyProtocol: ${announced} }
`),
      );
      const port = await haproxy(`mode tcp\n  server s ${addressOf(daemon, 'web')} ${options}`);
      const { text } = await run('curl', ['-sS', '--interface', '127.0.0.9', `http://127.0.0.1:${port}/`]);
      expect(text).toMatch(new RegExp(`^web\\|PROXY TCP4 127.0.0.9 127.0.0.1 \\d+ ${port}$`));
      expect(listener(daemon).refused).toEqual({});
    });

    it.each(['v1', 'v2'])('believes what it is told in %s', async (version) => {
      const port = await haproxy(
        `mode http\n  http-request return status 200 content-type text/plain lf-string "%[src]"`,
        'accept-proxy',
      );
      const daemon = await start(
        house(`
listeners:
  web: { bind: ["127.0.0.1:0"], balance: { targets: ["127.0.0.1:${port}"] }, proxyProtocol: { send: ${version} } }
`),
      );
      const url = `http://${addressOf(daemon, 'web')}/`;
      expect((await run('curl', ['-sS', '--interface', '127.0.0.9', url])).text).toBe('127.0.0.9');
    });
  });
});

/** A HAProxy with one proxy on a free port; it is ended after the test. */
async function haproxy(body: string, bind = ''): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  const file = path.join(authority!.folder, `haproxy-${port}.cfg`);
  const timeouts = 'timeout client 20s\n  timeout server 20s\n  timeout connect 5s';
  writeFileSync(file, `defaults\n  ${timeouts}\nlisten l\n  bind 127.0.0.1:${port} ${bind}\n  ${body}\n`);
  const libraries = path.resolve(program('haproxy')!, '../../lib/x86_64-linux-gnu');
  const env = { ...process.env, LD_LIBRARY_PATH: libraries };
  const checked = spawnSync(program('haproxy')!, ['-c', '-f', file], { env, encoding: 'utf8' });
  if (checked.status !== 0) throw new Error(checked.stderr);
  children.push(spawn(program('haproxy')!, ['-db', '-f', file], { env, stdio: 'ignore' }));
  const up = () =>
    spawnSync(program('curl')!, ['-s', '-o', '/dev/null', `telnet://127.0.0.1:${port}`, '--max-time', '0.3']);
  await eventually(() => up().status !== 7);
  rmSync(file);
  return port;
}
