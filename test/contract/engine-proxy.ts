// Contract of engines: the PROXY protocol, told to targets and believed of trusted proxies.
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import {
  cutCode,
  dial,
  echo,
  type MakeEngine,
  readAll,
  type Serving,
  serve,
  startTarget,
  turnedAway,
} from './engine-harness.ts';

const trusted = { accept: true, from: ['127.0.0.0/8'] };
const fromAfar = 'PROXY TCP4 192.0.2.7 198.51.100.1 4711 443\r\n';

/** What a target hears until the client has ended, and a first answer. */
async function heard(config: Record<string, unknown>, makeEngine: MakeEngine, say: (socket: Socket) => void) {
  const place = await startTarget(echo);
  const serving = await serve(makeEngine, { targets: [place], config });
  const client = await dial(serving.port);
  say(client);
  const answer = await readAll(client);
  return { ...serving, answer, client };
}

export function announceContract(makeEngine: MakeEngine): void {
  describe('telling targets who the client is', () => {
    it('writes a line of version 1 first, and counts only what the client says', async () => {
      const config = { proxyProtocol: { send: 'v1' } };
      const { answer, reports, port } = await heard(config, makeEngine, (client) => client.end('hello'));
      const { client: name, received } = await reports.end();
      const clientPort = name.split(':')[1];
      expect(answer.toString()).toBe(`PROXY TCP4 127.0.0.1 127.0.0.1 ${clientPort} ${port}\r\nhello`);
      expect(received).toBe(5);
    });

    it('writes a header of version 2 first, also for a client that says nothing', async () => {
      const config = { proxyProtocol: { send: 'v2' } };
      const { answer, reports, port } = await heard(config, makeEngine, (client) => client.end());
      const { client: name } = await reports.end();
      const expected = Buffer.from('0d0a0d0a000d0a515549540a2111000c7f0000017f00000100000000', 'hex');
      expected.writeUInt16BE(Number(name.split(':')[1]), 24);
      expected.writeUInt16BE(port, 26);
      expect(answer.equals(expected)).toBe(true);
    });

    it('writes it again to the next target where one does not answer', async () => {
      const place = await startTarget(echo);
      const dead = { ...place, id: '127.0.0.1:1', port: 1 };
      const config = { proxyProtocol: { send: 'v1' } };
      const { port, reports } = await serve(makeEngine, { targets: [dead, place], config });
      for (let i = 1; i <= 2; i++) {
        const client = await dial(port);
        client.end('x');
        expect((await readAll(client)).toString()).toMatch(/^PROXY TCP4 [^P]*\r\nx$/);
        await reports.end(i);
      }
    });
  });
}

export function acceptProxyContract(makeEngine: MakeEngine): void {
  const until = async ({ reports }: Serving) => {
    await reports.until(() => reports.refusals.length > 0);
    return reports.refusals;
  };

  describe('believing proxies', () => {
    it('takes the client from the header, and passes on what follows', async () => {
      const say = (client: Socket) => void client.end(`${fromAfar}hello`);
      const { answer, reports } = await heard({ proxyProtocol: trusted }, makeEngine, say);
      expect(answer.toString()).toBe('hello');
      expect(await reports.end()).toMatchObject({ client: '192.0.2.7:4711', received: 5, reason: 'done' });
    });

    it('takes it byte by byte', async () => {
      const { answer } = await heard({ proxyProtocol: trusted }, makeEngine, async (client) => {
        client.setNoDelay();
        for (const byte of Buffer.from(`${fromAfar}hello`)) {
          client.write(Buffer.from([byte]));
          await new Promise((resolve) => setImmediate(resolve));
        }
        client.end();
      });
      expect(answer.toString()).toBe('hello');
    });

    it('counts and admits the client that is announced, not the proxy', async () => {
      const place = await startTarget(echo);
      const config = { proxyProtocol: trusted, allow: ['192.0.2.0/24'], limits: { perClient: 1 } };
      const serving = await serve(makeEngine, { targets: [place], config });
      const first = await dial(serving.port);
      first.write(`${fromAfar}x`);
      await once(first, 'data');
      const second = await dial(serving.port);
      second.write(fromAfar.replace('4711', '4712'));
      expect(await cutCode(second)).toBe('ECONNRESET');
      const stranger = await dial(serving.port);
      stranger.write(fromAfar.replace('192.0.2.7', '203.0.113.9'));
      expect(await cutCode(stranger)).toBe('ECONNRESET');
      expect(serving.reports.refusals).toEqual(['per-client', 'not-allowed']);
      first.end();
      await serving.reports.end();
      // The refused ones have given back what they took.
      const third = await dial(serving.port);
      third.end(`${fromAfar}again`);
      expect((await readAll(third)).toString()).toBe('again');
    });

    it('passes on what a proxy has told', async () => {
      const config = { proxyProtocol: { ...trusted, send: 'v1' } };
      const say = (client: Socket) => void client.end(`${fromAfar}hello`);
      expect((await heard(config, makeEngine, say)).answer.toString()).toBe(`${fromAfar}hello`);
    });

    it.each([
      ['garbage', 'GET / HTTP/1.1\r\n\r\n', 'proxy-invalid'],
      ['a line without an end', `PROXY TCP4 ${'1'.repeat(200)}`, 'proxy-invalid'],
    ])('refuses %s', async (_what, text, reason) => {
      const place = await startTarget(echo);
      const serving = await serve(makeEngine, { targets: [place], config: { proxyProtocol: trusted } });
      const client = await dial(serving.port);
      client.write(text);
      expect(await cutCode(client)).toBe('ECONNRESET');
      expect(await until(serving)).toEqual([reason]);
      expect([place.sockets.size, serving.reports.opens.length]).toEqual([0, 0]);
    });

    it('refuses a header that is not complete in time, however it trickles', async () => {
      const config = { proxyProtocol: trusted, limits: { greeting: '150ms' } };
      const serving = await serve(makeEngine, { config });
      const client = await dial(serving.port);
      const trickle = setInterval(() => client.write('1'), 10);
      client.write('PROXY TCP4 ');
      expect(await cutCode(client)).toBe('ECONNRESET');
      clearInterval(trickle);
      expect(await until(serving)).toEqual(['proxy-timeout']);
    });

    it('refuses a peer that is no proxy of ours, whatever it says', async () => {
      const config = { proxyProtocol: { accept: true, from: ['192.0.2.1'] } };
      const serving = await serve(makeEngine, { config });
      expect(await turnedAway(serving.port)).toBe('ECONNRESET');
      expect(await until(serving)).toEqual(['proxy-untrusted']);
    });

    it('bounds how many are in their header, and serves again when one has gone', async () => {
      const place = await startTarget(echo);
      const config = { proxyProtocol: trusted, limits: { greetings: 1 } };
      const serving = await serve(makeEngine, { targets: [place], config });
      const slow = await dial(serving.port);
      slow.write('PROXY ');
      // The first has to be accepted before the second comes: accepting is in order.
      expect(await turnedAway(serving.port)).toBe('ECONNRESET');
      slow.end();
      await serving.reports.until(() => serving.reports.refusals.length === 2);
      expect(serving.reports.refusals).toEqual(['greetings', 'gone']);
      const third = await dial(serving.port);
      third.end(`${fromAfar}x`);
      expect((await readAll(third)).toString()).toBe('x');
    });

    it('serves, while it drains, who was accepted before', async () => {
      const place = await startTarget(echo);
      const serving = await serve(makeEngine, { targets: [place], config: { proxyProtocol: trusted } });
      const client = await dial(serving.port);
      client.write('PROXY ');
      const other = await dial(serving.port);
      other.end(`${fromAfar}x`);
      await readAll(other);
      const drained = serving.listener.drain(10_000);
      client.end(`${fromAfar.slice('PROXY '.length)}late`);
      expect((await readAll(client)).toString()).toBe('late');
      await drained;
      expect(serving.reports.refusals).toEqual([]);
    });
  });
}
