// Contract of engines: no target has more connections than it may; who comes then waits, not too many, not too long.
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { dial, echo, type MakeEngine, readAll, serve, startTarget, turnedAway } from './engine-harness.ts';

const balance = (settings: object) => ({ balance: { targets: ['127.0.0.1:1'], ...settings } });

export function capsContract(makeEngine: MakeEngine): void {
  describe('caps', () => {
    it('let a connection wait for a place, with what it said, and go on when one is left', async () => {
      const place = await startTarget(echo, { max: 1 });
      const { port, reports, listener } = await serve(makeEngine, { targets: [place], config: balance({}) });
      const first = await dial(port);
      first.write('first');
      await once(first, 'data');
      const second = await dial(port);
      second.write('second');
      await reports.until(() => reports.bytesIn === 11);
      await expect.poll(() => listener.waiting()).toBe(1);
      expect(place.sockets.size).toBe(1);
      first.end();
      const [echoed] = await once(second, 'data');
      expect(String(echoed)).toBe('second');
      second.end();
      await reports.end(2);
      expect(listener.targets()).toMatchObject([{ id: place.id, active: 0, total: 2 }]);
      await expect.poll(() => listener.waiting()).toBe(0);
    });

    it('turn away who would wait too long, and those who are too many to wait', async () => {
      const place = await startTarget(echo, { max: 1 });
      const config = balance({ queue: { size: 1, timeout: '300ms' } });
      const { port, reports } = await serve(makeEngine, { targets: [place], config });
      const first = await dial(port);
      first.write('first');
      await once(first, 'data');
      const waiters = [turnedAway(port), turnedAway(port)];
      expect(await Promise.all(waiters)).toEqual(['ECONNRESET', 'ECONNRESET']);
      await reports.end(2);
      expect(reports.ends.map(({ reason }) => reason).sort()).toEqual(['queue-full', 'queue-timeout']);
      expect(reports.ends.every(({ target }) => target === null)).toBe(true);
      first.end();
      expect((await readAll(first)).toString()).toBe('');
    });

    it('forget who goes away while waiting', async () => {
      const place = await startTarget(echo, { max: 1 });
      const { port, reports, listener } = await serve(makeEngine, { targets: [place], config: balance({}) });
      const first = await dial(port);
      first.write('first');
      await once(first, 'data');
      const second = await dial(port);
      await expect.poll(() => listener.waiting()).toBe(1);
      second.resetAndDestroy();
      expect((await reports.end()).reason).toBe('client-reset');
      await expect.poll(() => listener.waiting()).toBe(0);
    });

    it('hold however many come at once, and every one of them is served in the end', async () => {
      let serving = 0;
      let most = 0;
      const place = await startTarget(
        (socket) => {
          serving += 1;
          most = Math.max(most, serving);
          socket.on('data', (chunk: Buffer) =>
            setTimeout(() => {
              // Its end is what frees the place; that this process sees the socket closed comes later.
              serving -= 1;
              socket.end(chunk);
            }, 5),
          );
        },
        { max: 3 },
      );
      const { port, reports } = await serve(makeEngine, { targets: [place], config: balance({}) });
      const clients = await Promise.all(Array.from({ length: 60 }, () => dial(port)));
      const answers = clients.map((client, i) => {
        client.end(String(i));
        return readAll(client);
      });
      expect((await Promise.all(answers)).map(String)).toEqual(clients.map((_, i) => String(i)));
      await reports.end(60);
      expect(most).toBeLessThanOrEqual(3);
      expect(reports.ends.every(({ reason }) => reason === 'done')).toBe(true);
    });
  });
}
