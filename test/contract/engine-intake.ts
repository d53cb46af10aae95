// Contract of engines: a listener whose data goes to a sink, frame by frame.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Writable } from 'node:stream';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openSink, type Sink } from '../../src/sinks/index.ts';
import { needs } from '../support/parts.ts';
import { closed, cutCode, dial, type MakeEngine, readAll, serve, settled } from './engine-harness.ts';

const rotate = { size: 1e9, keep: 1 };

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
      const common = { time: expect.stringMatching(/^\d{4}-.*Z$/), listener: 'web', client: from };
      expect(await lines()).toEqual([
        { ...common, sequence: 1, text: 'one' },
        { ...common, sequence: 2, text: 'two' },
        { ...common, sequence: 3, text: 'three' },
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
      const sink = await openSink('slow', { stdout: true, rotate }, '/', slow);
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

    it.runIf(needs('a sink on a full disk', 'linux'))('cuts the connection when the sink fails', async () => {
      const sink = await openSink('full', { file: '/dev/full', rotate }, '/', process.stdout);
      const { port, reports } = await serve(makeEngine, { sink });
      const client = await dial(port);
      // The first line is accepted before its write fails; one that comes after is refused.
      const talking = setInterval(() => client.write('a line\n'), 1);
      await closed(client);
      clearInterval(talking);
      const end = await reports.end();
      expect(end.reason).toBe('sink-failed');
      expect(end.detail).toContain('ENOSPC');
      await expect(sink.close()).rejects.toThrow(/not delivered/);
    });
  });
}

async function fileSink(): Promise<{ sink: Sink; lines: () => Promise<Record<string, unknown>[]> }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'reeve-intake-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const sink = await openSink('events', { file: 'events.jsonl', rotate }, folder, process.stdout);
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
