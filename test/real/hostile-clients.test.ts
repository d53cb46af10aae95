// Clients that mean no good at every kind of listener at once, and honest ones beside them that must not notice.
// REEVE_HOSTILE=9000 for the long form: so many at once.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import path from 'node:path';
import { connect as secure } from 'node:tls';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { type Authority, createAuthority } from '../support/authority.ts';
import { eventually, startNode } from '../support/children.ts';
import { needs } from '../support/parts.ts';
import { listenerAt, type Up, up } from './daemon-process.ts';
import { ask, house } from './daemon-support.ts';
import { Crowd, descriptorsOf, memoryOf, says, silent } from './hostile-support.ts';

const runs = needs('hostile clients', 'linux', 'openssl');
const authority: Authority | null = runs ? createAuthority() : null;
afterAll(() => authority?.remove());

const mib = 1024 * 1024;
const long = process.env.REEVE_HOSTILE !== undefined;
const crowdSize = Number(process.env.REEVE_HOSTILE ?? 300);
const share = (part: number) => Math.ceil(part * crowdSize);
/** Those who do not read, and what each has asked for: more than the processes may take. */
const unread = { clients: 8, bytes: 64 * mib };
const bound = 200 * mib + crowdSize * 16 * 1024;
const garbage = 40;
const tooLarge = 20;

/** Waits for ever for a request that does not end, and gives a large answer. */
const target = `const { createServer } = require('node:http');
const large = Buffer.alloc(${unread.bytes});
const server = createServer((request, response) => {
  response.setHeader('connection', 'close').end(request.url === '/large' ? large : 'honest');
});
Object.assign(server, { headersTimeout: 0, requestTimeout: 0, timeout: 0 });
server.listen(0, '127.0.0.1', function () { console.log(this.address().port) });`;

const request = 'GET / HTTP/1.1\r\nhost: x\r\n\r\n';
/** A ClientHello of 512 bytes, of which these are all that comes. */
const halfHello = Buffer.concat([Buffer.from('1603010200010001fc0303', 'hex'), Buffer.alloc(200, 7)]);

async function answer(socket: Socket, question: string): Promise<string> {
  let text = '';
  socket.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  socket.write(question);
  await once(socket, 'close');
  return text;
}

/** One who asks each listener in turn, until stopped. */
class Honest {
  readonly waits: number[] = [];
  lines = 0;
  peak = 0;
  private stopped = false;
  private readonly running: Promise<void>[];

  constructor(daemon: Up, ports: Ports, pids: readonly number[]) {
    const asks = [
      async () => expect(await answer(connect(ports.web, '127.0.0.1'), request)).toContain('honest'),
      async () => {
        const socket = secure({ port: ports.tls, host: '127.0.0.1', rejectUnauthorized: false });
        expect(await answer(socket, request)).toContain('honest');
      },
      async () => {
        const header = 'PROXY TCP4 192.0.2.7 198.51.100.1 4711 443\r\n';
        expect(await answer(connect(ports.proxy, '127.0.0.1'), header + request)).toContain('honest');
      },
      async () => {
        const socket = connect(ports.intake, '127.0.0.1').resume();
        socket.end(`honest ${this.lines++}\n`);
        await once(socket, 'close');
      },
      async () => expect(await ask(daemon.control, '/healthz')).toMatchObject({ status: 200 }),
    ];
    this.running = asks.map(async (each) => {
      while (!this.stopped) {
        const began = performance.now();
        await each();
        this.waits.push(performance.now() - began);
        this.peak = Math.max(this.peak, memoryOf(pids));
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    });
    // What failed is told by stop().
    for (const each of this.running) each.catch(() => {});
  }

  /** Every one of them was answered so often since. */
  async more(): Promise<void> {
    const since = this.waits.length;
    await Promise.race([eventually(() => this.waits.length >= since + 100, 120_000), this.failed()]);
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.all(this.running);
  }

  private async failed(): Promise<never> {
    await Promise.all(this.running);
    throw new Error('stopped');
  }
}

interface Ports {
  web: number;
  tls: number;
  proxy: number;
  intake: number;
}

describe.runIf(runs).each(['native', 'portable'] as const)('hostile clients (%s)', (engine) => {
  it('are cut, counted and forgotten, and honest ones are answered', { timeout: 600_000 }, async () => {
    const { line: port } = await startNode(target);
    const { cert, key } = authority!.issue('localhost', ['localhost']);
    // Long enough for all of them to be there at once.
    const [firstBytes, idle] = long ? ['30s', '60s'] : ['2s', '3s'];
    const balance = `balance: { targets: ["127.0.0.1:${port}"] }`;
    const home = house(`
relay: { engine: ${engine === 'native' ? 'auto' : engine}, workers: 2 }
listeners:
  web: { bind: ["127.0.0.1:0"], ${balance}, limits: { firstBytes: ${firstBytes}, idle: ${idle} } }
  tls: { bind: ["127.0.0.1:0"], ${balance}, limits: { greeting: 2s }, tls: { cert: ${cert}, key: ${key} } }
  proxy:
    bind: ["127.0.0.1:0"]
    ${balance}
    limits: { greeting: 2s }
    proxyProtocol: { accept: true, from: ["127.0.0.1"] }
  intake: { bind: ["127.0.0.1:0"], sink: lines, limits: { idle: ${idle}, frame: 1KiB } }
sinks:
  lines: { file: lines.jsonl }
`);
    const daemon = await up(home);
    const first = await daemon.status();
    const portOf = (name: string) => Number(listenerAt(first, name).split(':')[1]);
    const ports: Ports = {
      web: portOf('web'),
      tls: portOf('tls'),
      proxy: portOf('proxy'),
      intake: portOf('intake'),
    };
    expect(first.listeners.map((each) => each.engine)).toEqual([engine, 'portable', 'portable', engine]);
    const pids = [daemon.child.pid!, ...first.relayWorkers.map(({ pid }) => pid)];
    const row = async (name: string) => (await daemon.status()).listeners.find((each) => each.name === name)!;

    const honest = new Honest(daemon, ports, pids);
    onTestFinished(() => honest.stop().catch(() => {}));
    await honest.more();
    await honest.stop();
    await eventually(async () =>
      (await daemon.status()).listeners.every(({ connections }) => connections.active === 0),
    );
    const before = { descriptors: descriptorsOf(pids), memory: memoryOf(pids) };

    const during = new Honest(daemon, ports, pids);
    onTestFinished(() => during.stop().catch(() => {}));
    using crowd = new Crowd();
    const came = performance.now();
    crowd.resetAtOnce(Object.values(ports));
    const comes: [keyof Ports, number, Parameters<Crowd['come']>[2]][] = [
      ['web', share(0.5), says('G')],
      ['web', share(0.2), silent],
      ['web', share(0.1), crowd.drips(Buffer.from('GET / HTTP/1.1\r\nx: '.padEnd(4000, 'x')))],
      [
        'web',
        unread.clients,
        (socket) => {
          socket.pause();
          socket.write(request.replace('/', '/large'));
        },
      ],
      ['tls', share(0.02), silent],
      ['tls', share(0.02), says(halfHello)],
      ['tls', share(0.02), crowd.drips(halfHello)],
      ['tls', garbage, says('GET / HTTP/1.1\r\n\r\n')],
      ['proxy', share(0.03), says('PROXY TCP4 192.0.2.7 198.5')],
      ['proxy', share(0.02), crowd.drips(Buffer.from('PROXY TCP4 192.0.2.7 198.51.100.1 4711 '))],
      ['proxy', garbage, says(Buffer.alloc(3000, 0xfe))],
      ['intake', share(0.05), says('half a line')],
      ['intake', tooLarge, says('x'.repeat(64 * 1024))],
    ];
    for (const [name, count, manner] of comes) await crowd.come(ports[name], count, manner);
    const cameWithin = performance.now() - came;
    const active = async () =>
      (await daemon.status()).listeners.reduce((sum, { connections }) => sum + connections.active, 0);
    if (long) await eventually(async () => (await active()) >= share(0.8), 60_000);
    await during.more();
    const [open, held] = [await active(), descriptorsOf(pids)];

    // Each is cut for what it did.
    const counted = async (
      name: keyof Ports,
      kind: 'ended' | 'refused',
      expected: Record<string, number>,
    ) => {
      const now = async () => (await row(name))[kind] as Record<string, number>;
      const reasons = Object.keys(expected);
      await eventually(async () => {
        const is = await now();
        return reasons.every((reason) => (is[reason] ?? 0) >= expected[reason]!);
      }, 240_000);
      expect(await now()).toMatchObject(expected);
    };
    await counted('tls', 'refused', { 'tls-timeout': 3 * share(0.02), 'tls-invalid': garbage });
    await counted('proxy', 'refused', {
      'proxy-timeout': share(0.03) + share(0.02),
      'proxy-invalid': garbage,
    });
    await counted('intake', 'ended', { 'frame-too-large': tooLarge, idle: share(0.05) });
    await counted('web', 'ended', { silent: share(0.2), idle: share(0.5) + unread.clients });
    await during.more();

    await crowd.leave();
    await during.more();
    await during.stop();
    // Whoever came has left, and for a reason.
    await eventually(async () =>
      (await daemon.status()).listeners.every(({ connections, ended }) => {
        const ends = Object.values(ended).reduce((sum, each) => sum + each, 0);
        return connections.active === 0 && connections.total === ends;
      }),
    );
    await eventually(() => descriptorsOf(pids).every((count, i) => count <= before.descriptors[i]!));
    const after = memoryOf(pids);
    const { listeners } = await daemon.status();
    expect(
      listeners.map(({ refused }) =>
        Object.keys(refused)
          .filter((each) => each !== 'gone')
          .sort(),
      ),
    ).toEqual([[], ['tls-invalid', 'tls-timeout'], ['proxy-invalid', 'proxy-timeout'], []]);
    expect(during.peak - before.memory).toBeLessThan(bound);
    const kept = readFileSync(path.join(home.folder, 'lines.jsonl'), 'utf8');
    const texts = new Set(
      kept
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).text as string),
    );
    const all = Array.from({ length: during.lines }, (_, i) => `honest ${i}`);
    expect(all.filter((text) => !texts.has(text))).toEqual([]);

    const waits = during.waits.sort((a, b) => a - b);
    const at = (part: number) => `${Math.round(waits[Math.floor(part * (waits.length - 1))]!)} ms`;
    const mb = (bytes: number) => `${Math.round(bytes / mib)} MiB`;
    console.info(
      `${engine}: came within ${Math.round(cameWithin)} ms, ${open} open at once, ${crowd.resets} resets; ` +
        `${waits.length} honest requests: p50 ${at(0.5)}, p99 ${at(0.99)}, max ${at(1)}; ` +
        `memory ${mb(before.memory)}, ${mb(during.peak)} at most, ${mb(after)} after; ` +
        `descriptors ${before.descriptors}, ${held}, ${descriptorsOf(pids)}`,
    );
    console.info(JSON.stringify(listeners.map(({ name, ended, refused }) => ({ name, ended, refused }))));
  });
});
