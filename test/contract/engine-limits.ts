// Contract of engines: who is let in, how long they may stay, and how a listener ends.
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import {
  ask,
  cutCode,
  dial,
  echo,
  type MakeEngine,
  makePlan,
  readAll,
  says,
  serve,
  startTarget,
  turnedAway,
} from './engine-harness.ts';

export function limitsContract(makeEngine: MakeEngine): void {
  describe('limits', () => {
    it.each([
      ['connections', { connections: 2 }],
      ['per-client', { perClient: 2 }],
    ])(
      'refuses beyond limits (%s), and lets in again who comes after one has left',
      async (reason, limits) => {
        const place = await startTarget(echo);
        const { port, reports, listener } = await serve(makeEngine, { targets: [place], config: { limits } });
        const [first] = [await dial(port), await dial(port)];
        await reports.until(() => reports.opens.length === 2);
        expect(await turnedAway(port)).toBe('ECONNRESET');
        await reports.until(() => reports.refusals.length > 0);
        expect(reports.refusals).toEqual([reason]);
        expect(listener.active()).toBe(2);
        first.end();
        await reports.end();
        const third = await dial(port);
        third.end('in');
        expect((await readAll(third)).toString()).toBe('in');
      },
    );

    it('refuses what is faster than the rate', async () => {
      const place = await startTarget(says('in'));
      const config = { limits: { rate: '2/1h' } };
      const { port, reports } = await serve(makeEngine, { targets: [place], config });
      expect([await ask(port), await ask(port)]).toEqual(['in', 'in']);
      expect(await turnedAway(port)).toBe('ECONNRESET');
      await reports.until(() => reports.refusals.length > 0);
      expect(reports.refusals).toEqual(['rate']);
    });

    it('refuses who is denied, and a client that comes too often', async () => {
      const place = await startTarget(says('in'));
      const often = { targets: [place], config: { limits: { clientRate: '1/1h' } } };
      const { port, reports } = await serve(makeEngine, often);
      expect(await ask(port)).toBe('in');
      expect(await turnedAway(port)).toBe('ECONNRESET');
      await reports.until(() => reports.refusals.length > 0);
      expect(reports.refusals).toEqual(['client-rate']);
      const barred = { targets: [place], config: { allow: ['127.0.0.1'], deny: ['127.0.0.0/8'] } };
      const other = await serve(makeEngine, barred);
      expect(await turnedAway(other.port)).toBe('ECONNRESET');
      await other.reports.until(() => other.reports.refusals.length > 0);
      expect(other.reports.refusals).toEqual(['denied']);
    });

    it('ends a client that says nothing in time, even where the target speaks, and no other', async () => {
      const place = await startTarget((socket) => {
        socket.write('hello');
        socket.on('data', (chunk: Buffer) => socket.write(chunk));
        socket.on('end', () => socket.end());
      });
      const config = { limits: { firstBytes: '200ms' } };
      const { port, reports } = await serve(makeEngine, { targets: [place], config });
      const speaks = await dial(port);
      speaks.write('me too');
      const silent = await dial(port);
      expect(await cutCode(silent)).toBe('ECONNRESET');
      expect(await reports.end()).toMatchObject({ reason: 'silent', received: 0, sent: 5 });
      speaks.end(' still');
      expect((await readAll(speaks)).toString()).toBe('hellome too still');
    });

    it('lets in only who is allowed, and follows an update', async () => {
      const place = await startTarget(says('in'));
      const options = { targets: [place], config: { allow: ['10.0.0.0/8'] } };
      const { port, reports, listener } = await serve(makeEngine, options);
      expect(await turnedAway(port)).toBe('ECONNRESET');
      await reports.until(() => reports.refusals.length > 0);
      expect(reports.refusals).toEqual(['not-allowed']);
      listener.update(makePlan({ targets: [place], config: { allow: ['10.0.0.0/8', '127.0.0.1'] } }));
      expect(await ask(port)).toBe('in');
    });

    it('ends a connection on which nothing moves, and no other', async () => {
      const place = await startTarget(echo);
      const config = { limits: { idle: '150ms' } };
      const { port, reports } = await serve(makeEngine, { targets: [place], config });
      const quiet = await dial(port);
      const busy = await dial(port);
      busy.on('data', (chunk: Buffer) => busy.write(chunk));
      busy.write('ping');
      expect(await cutCode(quiet)).toBe('ECONNRESET');
      const end = await reports.end();
      expect(end.reason).toBe('idle');
      expect(end.ms).toBeGreaterThanOrEqual(140);
      // The busy one has lived as long, and still does.
      busy.removeAllListeners('data');
      busy.end('last');
      expect((await readAll(busy)).toString().endsWith('last')).toBe(true);
      expect((await reports.end(2)).reason).toBe('done');
    });

    it('drains: takes no more, lets the open ones finish', async () => {
      const place = await startTarget(echo);
      const { port, reports, listener } = await serve(makeEngine, { targets: [place] });
      const open = await dial(port);
      open.write('before');
      await once(open, 'data');
      let over = false;
      const drained = listener.drain(50_000).then(() => {
        over = true;
      });
      await expect(dial(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
      expect(over).toBe(false);
      open.end('after');
      expect((await readAll(open)).toString()).toBe('after');
      await drained;
      expect((await reports.end()).reason).toBe('done');
      expect(listener.active()).toBe(0);
    });

    it('ends what is still open when the deadline of a drain is over', async () => {
      const place = await startTarget((socket) => void socket.resume());
      const { port, reports, listener } = await serve(makeEngine, { targets: [place] });
      const open = await dial(port);
      await reports.until(() => reports.opens.length === 1);
      const cut = cutCode(open);
      await listener.drain(50);
      expect(await cut).toBe('ECONNRESET');
      expect((await reports.end()).reason).toBe('drained');
    });
  });
}
