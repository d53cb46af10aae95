// Contract of engines: bytes and ends pass unchanged in both directions.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import {
  arrived,
  closed,
  cutCode,
  dial,
  echo,
  type MakeEngine,
  readAll,
  serve,
  settled,
  startTarget,
} from './engine-harness.ts';

const mib = 1024 * 1024;

export function bytesContract(makeEngine: MakeEngine): void {
  describe('bytes and ends', () => {
    it('passes bytes both ways, exactly', async () => {
      const place = await startTarget(echo);
      const { port, reports } = await serve(makeEngine, { targets: [place] });
      const sent = randomBytes(4 * mib);
      const client = await dial(port);
      client.end(sent);
      const answer = await readAll(client);
      expect(answer.equals(sent)).toBe(true);
      const end = await reports.end();
      expect(end).toMatchObject({ reason: 'done', target: place.id, received: sent.length, retries: 0 });
      expect(end.sent).toBe(sent.length);
      expect(end.connectMs).toBeGreaterThanOrEqual(0);
      expect([reports.bytesIn, reports.bytesOut]).toEqual([sent.length, sent.length]);
    });

    it('serves a connection that never says anything', async () => {
      const place = await startTarget((socket) => {
        socket.resume();
        socket.on('end', () => socket.end());
      });
      const { port, reports } = await serve(makeEngine, { targets: [place] });
      const client = await dial(port);
      client.end();
      expect(await readAll(client)).toHaveLength(0);
      expect(await reports.end()).toMatchObject({ reason: 'done', received: 0, sent: 0 });
    });

    it('lets a target answer after the client has ended', async () => {
      const answer = randomBytes(mib);
      const place = await startTarget(async (socket) => {
        await readAll(socket);
        socket.end(answer);
      });
      const { port, reports } = await serve(makeEngine, { targets: [place] });
      const client = await dial(port);
      client.end('question');
      expect((await readAll(client)).equals(answer)).toBe(true);
      expect((await reports.end()).reason).toBe('done');
    });

    it('lets a client go on after the target has ended', async () => {
      let read: Promise<Buffer> | undefined;
      const place = await startTarget((socket) => {
        read = readAll(socket);
        socket.end('welcome');
      });
      const { port, reports } = await serve(makeEngine, { targets: [place] });
      const client = await dial(port);
      expect((await readAll(client)).toString()).toBe('welcome');
      const sent = randomBytes(mib);
      client.end(sent);
      expect((await read)?.equals(sent)).toBe(true);
      expect((await reports.end()).reason).toBe('done');
    });

    it('delivers what a client sent that closed at once, although the target answers', async () => {
      const sent = randomBytes(256 * 1024);
      const place = await startTarget((socket) => void socket.pause());
      const { port, reports } = await serve(makeEngine, { targets: [place] });
      const client = await dial(port);
      const gone = closed(client);
      client.write(sent, () => client.destroySoon());
      await reports.until(() => reports.bytesIn === sent.length);
      await gone;
      const socket = await arrived(place);
      // Nobody is there to take it: the client's system answers with a reset, which the engine meets at the latest
      // when it writes again.
      socket.write('thanks');
      await reports.until(() => reports.bytesOut === 6);
      socket.write('thanks');
      await reports.until(() => reports.bytesOut === 12 || reports.ends.length > 0);
      expect((await readAll(socket)).equals(sent)).toBe(true);
      socket.end();
      expect((await reports.end()).received).toBe(sent.length);
    });

    it('passes a reset by the client on to the target', async () => {
      const seen: string[] = [];
      const place = await startTarget((socket) => {
        socket.on('error', (error: NodeJS.ErrnoException) => seen.push(error.code ?? ''));
        socket.resume();
      });
      const { port, reports } = await serve(makeEngine, { targets: [place] });
      const client = await dial(port);
      client.write('half a sentence');
      await reports.until(() => reports.bytesIn > 0);
      const socket = await arrived(place);
      client.resetAndDestroy();
      await closed(socket);
      expect(seen).toEqual(['ECONNRESET']);
      expect((await reports.end()).reason).toBe('client-reset');
    });

    it('passes a reset by the target on to the client, after what it had said', async () => {
      const place = await startTarget((socket) => {
        socket.write('half an answer');
        socket.on('data', () => socket.resetAndDestroy());
      });
      const { port, reports } = await serve(makeEngine, { targets: [place] });
      const client = await dial(port);
      const [first] = (await once(client, 'data')) as [Buffer];
      expect(first.toString()).toBe('half an answer');
      client.write('go on');
      expect(await cutCode(client)).toBe('ECONNRESET');
      expect((await reports.end()).reason).toBe('target-reset');
    });

    it('stops reading from a client whose target does not read, and loses nothing', async () => {
      const count = 1536;
      const block = randomBytes(64 * 1024);
      const place = await startTarget((socket) => void socket.pause());
      const { port, reports } = await serve(makeEngine, { targets: [place] });
      const client = await dial(port);
      const sending = (async () => {
        for (let i = 0; i < count; i++) if (!client.write(block)) await once(client, 'drain');
        client.end();
      })();
      await reports.until(() => reports.bytesIn > 0);
      expect(await settled(() => reports.bytesIn)).toBeLessThan(48 * mib);
      const socket = await arrived(place);
      const got = await readAll(socket);
      await sending;
      expect(got.equals(Buffer.concat(Array<Buffer>(count).fill(block)))).toBe(true);
      socket.end();
      client.resume();
      expect(await reports.end()).toMatchObject({ reason: 'done', received: count * block.length });
    });

    it('stops reading from a target whose client does not read, and loses nothing', async () => {
      const size = 96 * mib;
      const block = randomBytes(64 * 1024);
      const place = await startTarget((socket) => {
        let left = size / block.length;
        const fill = () => {
          while (left > 0) {
            left -= 1;
            if (!socket.write(block)) break;
          }
          if (left === 0) socket.end();
          else socket.once('drain', fill);
        };
        fill();
      });
      const { port, reports } = await serve(makeEngine, { targets: [place] });
      const client = await dial(port);
      client.pause();
      const stuck = await settled(() => reports.bytesOut);
      // The kernel's own buffers on four sockets hold some MiB each; the engine must not add to that.
      expect(stuck).toBeLessThan(48 * mib);
      let got = 0;
      client.on('data', (chunk: Buffer) => {
        if (!chunk.equals(expected(block, got, chunk.length))) throw new Error(`wrong bytes after ${got}`);
        got += chunk.length;
      });
      client.on('end', () => client.end());
      client.resume();
      await once(client, 'end');
      expect(got).toBe(size);
      expect((await reports.end()).reason).toBe('done');
    });
  });
}

function expected(block: Buffer, from: number, length: number): Buffer {
  const at = from % block.length;
  const copies = Math.ceil((at + length) / block.length);
  return Buffer.concat(Array<Buffer>(copies).fill(block)).subarray(at, at + length);
}
