// Contract of engines that end TLS: bytes, ends and limits are as without it.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { connect as secure } from 'node:tls';
import { describe, expect, it } from 'vitest';
import type { SinkRecord } from '../../src/sinks/index.ts';
import {
  arrived,
  closed,
  cutCode,
  echo,
  type MakeEngine,
  readAll,
  serve,
  settled,
  startTarget,
} from './engine-harness.ts';
import { serveSecure } from './secure-target.ts';
import { dialTls, read, serveTls } from './tls-harness.ts';

const mib = 1024 * 1024;

export function tlsContract(makeEngine: MakeEngine): void {
  describe('inside TLS', () => {
    it('passes bytes both ways, exactly, and counts what is inside', async () => {
      const place = await startTarget(echo);
      const { port, reports } = await serveTls(makeEngine, {}, { targets: [place] });
      const sent = randomBytes(4 * mib);
      const client = await dialTls(port);
      client.end(sent);
      expect((await readAll(client)).equals(sent)).toBe(true);
      expect(await reports.end()).toMatchObject({ reason: 'done', received: sent.length, sent: sent.length });
    });

    it('lets a target answer after the client has ended', async () => {
      const answer = randomBytes(mib);
      const place = await startTarget(async (socket) => {
        await readAll(socket);
        socket.end(answer);
      });
      const { port, reports } = await serveTls(makeEngine, {}, { targets: [place] });
      const client = await dialTls(port);
      client.end('question');
      expect((await readAll(client)).equals(answer)).toBe(true);
      expect((await reports.end()).reason).toBe('done');
    });

    it('lets a client go on after the target has ended', async () => {
      let heard: Promise<Buffer> | undefined;
      const place = await startTarget((socket) => {
        heard = readAll(socket);
        socket.end('welcome');
      });
      const { port, reports } = await serveTls(makeEngine, {}, { targets: [place] });
      const client = await dialTls(port);
      expect((await readAll(client)).toString()).toBe('welcome');
      const sent = randomBytes(mib);
      client.end(sent);
      await reports.until(() => reports.bytesIn === sent.length);
      expect((await heard)?.equals(sent)).toBe(true);
      expect((await reports.end()).reason).toBe('done');
    });

    it('passes a reset by the client on to the target', async () => {
      const place = await startTarget((socket) => void socket.resume());
      const { port, reports } = await serveTls(makeEngine, {}, { targets: [place] });
      const client = await dialTls(port);
      client.write('half a sentence');
      await reports.until(() => reports.bytesIn > 0);
      const socket = await arrived(place);
      const cut = cutCode(socket);
      // What carries it: Node does not reset a TLS socket.
      (client as unknown as { _parent: { resetAndDestroy(): void } })._parent.resetAndDestroy();
      expect(await cut).toBe('ECONNRESET');
      expect((await reports.end()).reason).toBe('client-reset');
    });

    it('passes a reset by the target on to the client, after what it had said', async () => {
      const place = await startTarget((socket) => {
        socket.write('half an answer');
        socket.on('data', () => socket.resetAndDestroy());
      });
      const { port, reports } = await serveTls(makeEngine, {}, { targets: [place] });
      const client = await dialTls(port);
      const [first] = (await once(client, 'data')) as [Buffer];
      expect(first.toString()).toBe('half an answer');
      const cut = cutCode(client);
      client.write('go on');
      expect(await cut).toBe('ECONNRESET');
      expect((await reports.end()).reason).toBe('target-reset');
    });

    it('stops reading from either side while the other one does not read, and loses nothing', async () => {
      const block = randomBytes(64 * 1024);
      const size = 64 * mib;
      const place = await startTarget((socket) => {
        socket.pause();
        let left = size / block.length;
        const fill = () => {
          while (left > 0) {
            left -= 1;
            if (!socket.write(block)) return void socket.once('drain', fill);
          }
          socket.end();
        };
        fill();
      });
      const { port, reports } = await serveTls(makeEngine, {}, { targets: [place] });
      const client = await dialTls(port);
      client.pause();
      const sending = (async () => {
        for (let sent = 0; sent < size; sent += block.length) {
          if (!client.write(block)) await once(client, 'drain');
        }
        client.end();
      })();
      expect(await settled(() => reports.bytesIn)).toBeLessThan(size / 2);
      expect(await settled(() => reports.bytesOut)).toBeLessThan(size / 2);
      const socket = await arrived(place);
      const [got, answer] = await Promise.all([readAll(socket), readAll(client), sending]);
      expect([got.length, answer.length]).toEqual([size, size]);
      expect(got.subarray(-block.length).equals(block)).toBe(true);
      expect(await reports.end()).toMatchObject({ reason: 'done', received: size, sent: size });
    });

    it('ends what is idle, and what is open when the deadline of a drain is over', async () => {
      const place = await startTarget((socket) => void socket.resume());
      const idle = await serveTls(
        makeEngine,
        {},
        { targets: [place], config: { limits: { idle: '100ms' } } },
      );
      const quiet = await dialTls(idle.port);
      expect(await cutCode(quiet)).toBe('ECONNRESET');
      expect((await idle.reports.end()).reason).toBe('idle');
      const drained = await serveTls(makeEngine, {}, { targets: [place] });
      const open = await dialTls(drained.port);
      open.write('x');
      await drained.reports.until(() => drained.reports.bytesIn === 1);
      const gone = closed(open);
      await drained.listener.drain(50);
      await gone;
      expect((await drained.reports.end()).reason).toBe('drained');
      expect(drained.listener.active()).toBe(0);
    });

    it('resets the client when no target answers', async () => {
      const { port, reports } = await serveTls(makeEngine, {}, { targets: [] });
      const client = await dialTls(port);
      expect(await cutCode(client)).toBe('ECONNRESET');
      expect((await reports.end()).reason).toBe('no-target');
    });

    it('hands lines to a sink', async () => {
      const records: SinkRecord[] = [];
      const sink = { write: (record: SinkRecord) => void records.push(record) } as never;
      const { port, reports } = await serveTls(makeEngine, {}, { sink });
      const client = await dialTls(port);
      client.end('one\ntwo\n');
      expect(await readAll(client)).toHaveLength(0);
      expect(await reports.end()).toMatchObject({ reason: 'done', received: 8 });
      expect(records.map(({ data }) => data.toString())).toEqual(['one', 'two']);
    });

    it('finds TLS behind a PROXY header, in one packet with it', async () => {
      const place = await startTarget(echo);
      const proxyProtocol = { accept: 'v1', from: ['127.0.0.1'], send: 'v1' };
      const { port, reports } = await serveTls(
        makeEngine,
        {},
        { targets: [place], config: { proxyProtocol } },
      );
      const line = 'PROXY TCP4 192.0.2.7 198.51.100.1 4711 443\r\n';
      const carrier = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
      carrier.cork();
      carrier.write(line);
      const client = secure({ socket: carrier, ca: read('ca.pem'), servername: 'localhost' });
      process.nextTick(() => carrier.uncork());
      client.end('hello');
      expect((await readAll(client)).toString()).toBe(`${line}hello`);
      expect(await reports.end()).toMatchObject({ client: '192.0.2.7:4711', received: 5 });
    });
  });

  describe('TLS that is passed through', () => {
    it('goes by its name to the place for it, unchanged', async () => {
      const a = await serveSecure('a', 'this is a');
      const other = await serveSecure('localhost', 'this is the default');
      const tls = { mode: 'passthrough', sni: { 'a.example.com': { targets: [a.id] } } };
      const routes = [{ serverName: 'a.example.com', targets: [a] }];
      const options = { targets: [other], config: { tls }, plan: { routes } };
      const { port, reports, listener } = await serve(makeEngine, options);
      const first = await dialTls(port, { servername: 'a.example.com' });
      expect((await readAll(first)).toString()).toBe('this is a');
      first.end();
      const second = await dialTls(port);
      expect((await readAll(second)).toString()).toBe('this is the default');
      second.end();
      await reports.end(2);
      expect(reports.ends.map(({ target }) => target)).toEqual([a.id, other.id]);
      expect(listener.targets().map(({ total }) => total)).toEqual([1, 1]);
    });
  });
}
