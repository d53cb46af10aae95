// Contract of engines: which target gets a connection, and what happens when none does.
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { needs } from '../support/parts.ts';
import { blackHole } from './black-hole.ts';
import {
  ask,
  cutCode,
  dial,
  echo,
  type MakeEngine,
  makePlan,
  readAll,
  refusingTarget,
  says,
  serve,
  startTarget,
  target,
  turnedAway,
} from './engine-harness.ts';

const balance = (settings: object) => ({ balance: { targets: ['127.0.0.1:1'], ...settings } });

export function choiceContract(makeEngine: MakeEngine): void {
  describe('choice of target', () => {
    it('takes turns by weight', async () => {
      const one = await startTarget(says('one'), { weight: 1 });
      const two = await startTarget(says('two'), { weight: 2 });
      const { port, listener, reports } = await serve(makeEngine, { targets: [one, two] });
      const answers: string[] = [];
      for (let i = 0; i < 6; i++) answers.push(await ask(port));
      expect(answers.filter((answer) => answer === 'two')).toHaveLength(4);
      await reports.end(6);
      expect(listener.targets()).toEqual([
        { id: one.id, active: 0, total: 2, failures: 0 },
        { id: two.id, active: 0, total: 4, failures: 0 },
      ]);
    });

    it('prefers the target with the fewest connections', async () => {
      const one = await startTarget(echo);
      const two = await startTarget(echo);
      const config = balance({ policy: 'least-connections' });
      const { port, listener, reports } = await serve(makeEngine, { targets: [one, two], config });
      const held = [await dial(port), await dial(port), await dial(port), await dial(port)];
      await reports.until(() => reports.opens.length === 4);
      expect(listener.targets().map(({ active }) => active)).toEqual([2, 2]);
      for (const socket of held) socket.end();
      await reports.end(4);
      expect(listener.targets().map(({ active }) => active)).toEqual([0, 0]);
    });

    it('goes to another target when one refuses', async () => {
      const gone = await refusingTarget({ weight: 100 });
      const here = await startTarget(says('here'));
      const { port, reports, listener } = await serve(makeEngine, { targets: [gone, here] });
      expect(await ask(port)).toBe('here');
      expect(await reports.end()).toMatchObject({ reason: 'done', target: here.id, retries: 1 });
      expect(reports.failures).toEqual([{ target: gone.id, code: 'ECONNREFUSED' }]);
      expect(listener.targets()[0]).toMatchObject({ active: 0, failures: 1 });
    });

    it('turns to a backup when every primary refuses', async () => {
      const gone = await refusingTarget();
      const spare = await startTarget(says('spare'), { backup: true });
      const { port } = await serve(makeEngine, { targets: [gone, spare] });
      expect(await ask(port)).toBe('spare');
    });

    it('resets the client when no target answers, after as many tries as it may', async () => {
      const targets = [await refusingTarget(), await refusingTarget(), await refusingTarget()];
      const { port, reports } = await serve(makeEngine, { targets, config: balance({ retries: 1 }) });
      expect(await turnedAway(port)).toBe('ECONNRESET');
      const end = await reports.end();
      expect(end).toMatchObject({ reason: 'connect-failed', target: null, connectMs: null, retries: 1 });
      expect(end.detail).toContain('ECONNREFUSED');
      expect(reports.failures).toHaveLength(2);
    });

    it('never uses a target that is down, draining or without weight', async () => {
      const served: string[] = [];
      const place = (settings: object) => startTarget(() => served.push('wrong'), settings);
      const targets = await Promise.all([
        place({ verdict: 'down' }),
        place({ draining: true }),
        place({ weight: 0 }),
      ]);
      const { port, reports } = await serve(makeEngine, { targets });
      expect(await turnedAway(port)).toBe('ECONNRESET');
      expect(await reports.end()).toMatchObject({ reason: 'no-target', target: null });
      expect(served).toEqual([]);
    });

    it('uses new targets after an update, and leaves open connections where they are', async () => {
      const before = await startTarget(echo);
      const after = await startTarget(says('after'));
      const { port, listener, reports } = await serve(makeEngine, { targets: [before] });
      const old = await dial(port);
      old.write('one');
      await once(old, 'data');
      listener.update(makePlan({ targets: [after] }));
      expect(await ask(port)).toBe('after');
      old.end('two');
      expect((await readAll(old)).toString()).toBe('two');
      await reports.end(2);
      expect(listener.targets().map(({ id }) => id)).toEqual([after.id]);
    });
  });

  describe('policies', () => {
    it('sends a client to the same target each time (source-hash)', async () => {
      const names = ['one', 'two', 'three', 'four', 'five'];
      const targets = await Promise.all(names.map((name) => startTarget(says(name))));
      const { port } = await serve(makeEngine, { targets, config: balance({ policy: 'source-hash' }) });
      const answers = new Set<string>();
      for (let i = 0; i < 8; i++) answers.add(await ask(port));
      expect(answers.size).toBe(1);
    });

    it('spreads connections at random', async () => {
      const targets = await Promise.all(['one', 'two'].map((name) => startTarget(says(name))));
      const { port } = await serve(makeEngine, { targets, config: balance({ policy: 'random' }) });
      const answers = new Set<string>();
      for (let i = 0; i < 100 && answers.size < 2; i++) answers.add(await ask(port));
      expect(answers.size).toBe(2);
    });
  });

  describe('outcomes and orders', () => {
    it('tells of a target that serves, and of one that cuts connections off at once', async () => {
      const rude = await startTarget((socket) => {
        socket.once('data', () => socket.resetAndDestroy());
      });
      const { port, reports, listener } = await serve(makeEngine, { targets: [rude] });
      const client = await dial(port);
      client.write('hello');
      const cut = cutCode(client);
      expect((await reports.end()).reason).toBe('target-reset');
      expect(await cut).toBe('ECONNRESET');
      expect(reports.failures).toEqual([{ target: rude.id, code: 'ECONNRESET' }]);
      const good = await startTarget(says('here'));
      listener.update(makePlan({ targets: [good] }));
      expect(await ask(port)).toBe('here');
      await reports.end(2);
      expect(reports.took).toEqual([good.id]);
    });

    it('ends the connections of one target when it is told to, and no others', async () => {
      const one = await startTarget(echo);
      const two = await startTarget(echo);
      const { port, reports, listener } = await serve(makeEngine, { targets: [one, two] });
      const [first, second] = [await dial(port), await dial(port)];
      for (const socket of [first, second]) {
        socket.write('ping');
        await once(socket, 'data');
      }
      const { localPort } = first;
      listener.end(one.id, 'target-down');
      const end = await reports.end();
      expect(end).toMatchObject({ reason: 'target-down', target: one.id });
      expect(two.sockets.size).toBe(1);
      const left = end.client.endsWith(`:${localPort}`) ? second : first;
      left.end('still');
      expect((await readAll(left)).toString()).toBe('still');
    });

    it('spends no more on retries than their budget', async () => {
      const gone = await refusingTarget({ weight: 100 });
      const here = await startTarget(says('here'));
      const config = balance({ retryBudget: { percent: 0, least: 0 } });
      const { port, reports } = await serve(makeEngine, { targets: [gone, here], config });
      expect(await turnedAway(port)).toBe('ECONNRESET');
      expect(await reports.end()).toMatchObject({ reason: 'retry-budget', retries: 0 });
    });
  });

  describe.runIf(needs('connecting to a target that does not answer', 'linux'))('slow targets', () => {
    it('gives up a target after connectTimeout, and keeps what the client said meanwhile', async () => {
      const silent = await blackHole();
      const here = await startTarget(echo, { backup: true });
      const config = balance({ connectTimeout: '200ms' });
      const { port, reports } = await serve(makeEngine, { targets: [target(silent), here], config });
      const client = await dial(port);
      client.write('said ');
      await reports.until(() => reports.bytesIn > 0);
      client.end('before');
      expect((await readAll(client)).toString()).toBe('said before');
      expect(reports.failures).toEqual([{ target: `127.0.0.1:${silent}`, code: 'ETIMEDOUT' }]);
      const end = await reports.end();
      expect(end).toMatchObject({ reason: 'done', retries: 1 });
      expect(end.connectMs).toBeGreaterThanOrEqual(190);
    });

    it('stops connecting when the client goes away', async () => {
      const silent = await blackHole();
      const { port, reports, listener } = await serve(makeEngine, {
        targets: [target(silent)],
        config: balance({ connectTimeout: '50s' }),
      });
      const client = await dial(port);
      await reports.until(() => reports.opens.length === 1);
      client.resetAndDestroy();
      expect(await reports.end()).toMatchObject({ reason: 'client-reset', connectMs: null });
      expect(listener.active()).toBe(0);
      expect(listener.targets()[0]).toMatchObject({ active: 0, failures: 0 });
    });
  });
}
