// Contract of engines: a listener whose data goes to a sink, frame by frame.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Writable } from 'node:stream';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Sink } from '../../src/sinks/index.ts';
import { eventually } from '../support/children.ts';
import { needs } from '../support/parts.ts';
import { opened } from '../support/sinks.ts';
import { cutCode, dial, type MakeEngine, readAll, serve, settled } from './engine-harness.ts';

export function intakeContract(makeEngine: MakeEngine): void {
  describe('intake', () => {
    it('hands each line to the sink, in order, with the sender', async () => {
      const { sink, lines } = await fileSink();
      const { port, reports } = await serve(makeEngine, { sink });
      const client = await dial(port);
      const from = `127.0.0.1:${client.localPort}`;
      client.write('one\r\ntw');
      client.end('o\nthree');
      expect(await readAll(client)).toHaveLength(0);
      expect(await reports.end()).toMatchObject({ reason: 'done', target: null, received: 14, client: from });
      const common = {
        ...{ time: expect.stringMatching(/^\d{4}-.*Z$/), listener: 'web', client: from },
        connection: expect.stringMatching(/-\d+$/),
      };
      expect(await lines()).toEqual([
        { ...common, sequence: 1, bytes: 3, text: 'one' },
        { ...common, sequence: 2, bytes: 3, text: 'two' },
        { ...common, sequence: 3, bytes: 5, text: 'three' },
      ]);
    });

    it('keeps the frames before one that is too large, and resets', async () => {
      const { sink, lines } = await fileSink();
      const { port, reports } = await serve(makeEngine, { sink, config: { limits: { frame: '8B' } } });
      const client = await dial(port);
      client.write('fits\nmuch too long\nnever');
      expect(await cutCode(client)).toBe('ECONNRESET');
      expect((await reports.end()).reason).toBe('frame-too-large');
      expect((await lines()).map(({ text }) => text)).toEqual(['fits']);
    });

    it('tells of a message that was cut short', async () => {
      const { sink, lines } = await fileSink();
      const { port, reports } = await serve(makeEngine, { sink, config: { frame: 'length-prefixed' } });
      const client = await dial(port);
      client.end(Buffer.from([0, 0, 0, 2, 0xff, 0xfe, 0, 0, 0, 9, 1]));
      expect((await reports.end()).reason).toBe('frame-incomplete');
      expect(await lines()).toMatchObject([{ sequence: 1, base64: '//4=' }]);
    });

    it('reads no faster than the sink writes, and loses nothing', async () => {
      const held: (() => void)[] = [];
      let written = '';
      let open = false;
      const slow = new Writable({
        write(chunk: Buffer, _encoding, done) {
          written += chunk.toString();
          if (open) done();
          else held.push(done);
        },
      });
      const sink = await opened({ stdout: true }, { stdout: slow });
      const { port, reports } = await serve(makeEngine, { sink });
      const client = await dial(port);
      const count = 100_000;
      const text = Array.from({ length: count }, (_, i) => `line number ${i} ${'.'.repeat(400)}\n`).join('');
      client.end(text);
      await reports.until(() => reports.bytesIn > 1_000_000);
      const stuck = await settled(() => reports.bytesIn);
      expect(stuck).toBeLessThan(text.length / 2);
      open = true;
      for (const done of held) done();
      await readAll(client);
      expect((await reports.end()).reason).toBe('done');
      await sink.close();
      const sequences = written
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).sequence as number);
      expect(sequences).toHaveLength(count);
      expect(sequences.every((sequence, i) => sequence === i + 1)).toBe(true);
    });

    it.runIf(needs('a sink on a full disk', 'linux'))(
      'keeps a connection whose sink fails; what it had read and must give up is counted',
      async () => {
        const sink = await opened({ file: '/dev/full' });
        const { port, reports, listener } = await serve(makeEngine, {
          sink,
          config: { limits: { idle: '50ms' } },
        });
        const client = await dial(port);
        client.write('a line\n');
        await eventually(() => sink.failure);
        client.write('second\nthird\n');
        await reports.until(() => reports.bytesIn === 20);
        // Several times the idle time.
        await settled(() => reports.ends.length);
        expect(reports.ends).toEqual([]);
        await listener.drain(0);
        expect((await reports.end()).reason).toBe('drained');
        await expect(sink.close()).rejects.toThrow(/not delivered: ENOSPC/);
        // The sink had the first line; an engine may have handed over the others, or keep them until there is room.
        const { closed, ...others } = sink.counters().dropped;
        await eventually(() => {
          const { drained = 0, 'sink-failed': failed = 0 } = sink.counters().dropped;
          return drained + failed === 2;
        });
        expect({ closed, others: Object.keys(others).length > 0 }).toEqual({ closed: 1, others: true });
      },
    );
  });
}

async function fileSink(): Promise<{ sink: Sink; lines: () => Promise<Record<string, unknown>[]> }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'reeve-intake-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const sink = await opened({ file: 'events.jsonl' }, { where: folder });
  const lines = async () => {
    await sink.close();
    const text = await readFile(path.join(folder, 'events.jsonl'), 'utf8');
    return text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  };
  return { sink, lines };
}
