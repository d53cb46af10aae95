// One contract for every sink: order, waiting, failing and recovering, closing. Then what only files do.
import { execFileSync } from 'node:child_process';
import { createReadStream, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Writable } from 'node:stream';
import { describe, expect, it, onTestFinished } from 'vitest';
import { needs } from '../../test/support/parts.ts';
import { openSink } from './open.ts';
import type { Sink, SinkRecord } from './sink.ts';

const large = { size: 1e9, keep: 2 };

function record(sequence: number, data: string | Buffer = `frame ${sequence}`): SinkRecord {
  const common = { time: '2026-01-02T03:04:05.678Z', listener: 'intake', client: '127.0.0.1:5' };
  return { ...common, sequence, data: Buffer.from(data as string) };
}

async function folder(): Promise<string> {
  const made = await mkdtemp(path.join(tmpdir(), 'reeve-sink-'));
  onTestFinished(() => rm(made, { recursive: true, force: true }));
  return made;
}

const parse = (text: string) =>
  text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Record<string, unknown>);

/** A stream that takes its time, or fails, as it is told, and lives on after a failure as process.stdout does. */
class Console extends Writable {
  text = '';
  stalled: (() => void)[] | null = null;
  broken: Error | null = null;

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    done(error);
    (this as unknown as { _undestroy(): void })._undestroy();
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    const take = () => {
      this.text += chunk.toString();
      done();
    };
    if (this.stalled) this.stalled.push(take);
    else if (this.broken) done(this.broken);
    else take();
  }

  go(): void {
    const held = this.stalled ?? [];
    this.stalled = null;
    for (const take of held) take();
  }
}

interface Place {
  sink: Sink;
  text(): Promise<string>;
  /** Nothing is taken any more until `go`. */
  go(): void;
}

const places: [string, (stalled: boolean) => Promise<Place>][] = [
  [
    'stdout',
    async (stalled) => {
      const out = new Console();
      if (stalled) out.stalled = [];
      const sink = await openSink('s', { stdout: true, rotate: large }, '/', out);
      return { sink, text: async () => out.text, go: () => out.go() };
    },
  ],
  [
    'file',
    async (stalled) => {
      const where = await folder();
      const file = path.join(where, 'data', 'events.jsonl');
      if (!stalled) {
        const sink = await openSink('s', { file: 'data/events.jsonl', rotate: large }, where, process.stdout);
        return { sink, text: () => readFile(file, 'utf8'), go: () => {} };
      }
      // A file that does not take more than 64 KiB until somebody reads it: a named pipe.
      mkdirSync(path.dirname(file));
      execFileSync('mkfifo', [file]);
      const sink = await openSink('s', { file, rotate: large }, where, process.stdout);
      let text = '';
      return {
        sink,
        text: async () => text,
        go: () => {
          const reader = createReadStream(file).on('data', (chunk) => {
            text += chunk.toString();
          });
          onTestFinished(() => void reader.destroy());
        },
      };
    },
  ],
];

describe.each(places)('%s sink', (kind, make) => {
  it('writes one line of JSON a record, in order, text as text and the rest as base64', async () => {
    const { sink, text } = await make(false);
    expect([sink.name, sink.kind]).toEqual(['s', kind]);
    const content = ['plain', 'ü "quoted"\n\u0000', Buffer.from([0xff, 0x00]), ''];
    for (const [i, data] of content.entries()) expect(sink.write(record(i + 1, data))).toBeUndefined();
    await sink.close();
    const common = { time: '2026-01-02T03:04:05.678Z', listener: 'intake', client: '127.0.0.1:5' };
    expect(parse(await text())).toEqual([
      { ...common, sequence: 1, text: 'plain' },
      { ...common, sequence: 2, text: 'ü "quoted"\n\u0000' },
      { ...common, sequence: 3, base64: '/wA=' },
      { ...common, sequence: 4, text: '' },
    ]);
    const bytes = Buffer.byteLength(await text());
    expect(sink.counters()).toEqual({ accepted: 4, delivered: 4, bytes });
  });

  it.runIf(kind === 'stdout' || needs('a file sink that stalls', 'linux'))(
    'makes writers wait when it cannot keep up, takes them in order, and loses nothing',
    async () => {
      const { sink, text, go } = await make(true);
      const padding = '.'.repeat(10_000);
      let sent = 0;
      let wait: Promise<void> | undefined;
      while (!wait) wait = sink.write(record(++sent, padding));
      // Some MiB at the most, then no more.
      expect(sent).toBeLessThan(1000);
      const later = Array.from({ length: 20 }, () => sink.write(record(++sent, padding)));
      expect(later.every((promise) => promise !== undefined)).toBe(true);
      expect(sink.counters()).toMatchObject({ accepted: sent - 21, delivered: 0 });
      go();
      await Promise.all([wait, ...later]);
      await sink.close();
      expect(sink.counters()).toMatchObject({ accepted: sent, delivered: sent });
      const sequences = async () => parse(await text()).map(({ sequence }) => sequence);
      await expect.poll(async () => (await sequences()).length).toBe(sent);
      expect(await sequences()).toEqual(Array.from({ length: sent }, (_, i) => i + 1));
    },
  );

  it('takes nothing after it was closed', async () => {
    const { sink } = await make(false);
    await sink.close();
    await sink.close();
    await expect(sink.write(record(1))).rejects.toMatchObject({ code: 'conflict' });
  });
});

describe('a sink that fails', () => {
  it('keeps what it accepted, refuses what comes, and goes on when it can', async () => {
    const out = new Console();
    out.broken = new Error('ENOSPC: no space left');
    const sink = await openSink('s', { stdout: true, rotate: large }, '/', out);
    expect(sink.write(record(1))).toBeUndefined();
    await new Promise((resolve) => setImmediate(resolve));
    await expect(sink.write(record(2))).rejects.toThrow("sink 's' cannot write: ENOSPC");
    out.broken = null;
    await sink.write(record(3));
    expect(sink.write(record(4))).toBeUndefined();
    await sink.close();
    expect(parse(out.text).map(({ sequence }) => sequence)).toEqual([1, 3, 4]);
  });

  it('does not hang on a stream that has failed for good', async () => {
    const out = new Writable({ write: (_chunk, _encoding, done) => done(new Error('EPIPE')) });
    const sink = await openSink('s', { stdout: true, rotate: large }, '/', out);
    sink.write(record(1));
    await new Promise((resolve) => setImmediate(resolve));
    await expect(sink.write(record(2))).rejects.toThrow('EPIPE');
    await expect(sink.write(record(3))).rejects.toThrow('EPIPE');
    await expect(sink.close()).rejects.toThrow(/1 record not delivered/);
  });

  it('says at its end what it could not deliver', async () => {
    const out = new Console();
    out.broken = new Error('EPIPE');
    const sink = await openSink('s', { stdout: true, rotate: large }, '/', out);
    sink.write(record(1));
    sink.write(record(2));
    await expect(sink.close()).rejects.toThrow(/2 records not delivered: EPIPE/);
  });
});

describe('files', () => {
  const open = (where: string, rotate = large) =>
    openSink('s', { file: 'events.jsonl', rotate }, where, process.stdout);

  it('are appended to, and half a line from before is left alone', async () => {
    const where = await folder();
    writeFileSync(path.join(where, 'events.jsonl'), '{"sequence":0}\n{"half');
    const sink = await open(where);
    sink.write(record(1));
    await sink.close();
    const lines = readFileSync(path.join(where, 'events.jsonl'), 'utf8').split('\n');
    expect(lines.slice(0, 2)).toEqual(['{"sequence":0}', '{"half']);
    expect(JSON.parse(lines[2]!)).toMatchObject({ sequence: 1 });
  });

  it('are rotated before they grow beyond the size, newest first, and only so many are kept', async () => {
    const where = await folder();
    const sink = await open(where, { size: 1000, keep: 2 });
    for (let i = 1; i <= 60; i++) await sink.write(record(i));
    await sink.close();
    expect((await readdir(where)).sort()).toEqual(['events.jsonl', 'events.jsonl.1', 'events.jsonl.2']);
    const kept = ['.2', '.1', ''].map((end) => readFileSync(path.join(where, `events.jsonl${end}`)));
    for (const file of kept) expect(file.length).toBeLessThanOrEqual(1000);
    const sequences = kept.flatMap((file) =>
      parse(file.toString()).map(({ sequence }) => sequence as number),
    );
    // The last ones, without a gap.
    expect(sequences.at(-1)).toBe(60);
    expect(sequences).toEqual(sequences.map((_, i) => 61 - sequences.length + i));
  });

  it('take a line that is larger than the size by itself', async () => {
    const where = await folder();
    const sink = await open(where, { size: 100, keep: 5 });
    for (let i = 1; i <= 3; i++) await sink.write(record(i, 'x'.repeat(500)));
    await sink.close();
    expect(await readdir(where)).toHaveLength(3);
  });

  it('lose nothing when a rotation fails', async () => {
    const where = await folder();
    // A folder in the way of the rename.
    const obstacle = path.join(where, 'events.jsonl.1');
    mkdirSync(path.join(obstacle, 'full'), { recursive: true });
    const sink = await open(where, { size: 150, keep: 1 });
    sink.write(record(1));
    sink.write(record(2));
    await expect.poll(() => sink.counters().delivered).toBe(1);
    await expect(sink.write(record(3))).rejects.toThrow(/cannot write/);
    rmSync(obstacle, { recursive: true });
    await sink.write(record(4));
    await sink.close();
    expect(sink.counters()).toMatchObject({ accepted: 3, delivered: 3 });
    expect(existsSync(obstacle)).toBe(true);
  });

  it.runIf(needs('a full disk', 'linux'))('say that the disk is full', async () => {
    const sink = await openSink('s', { file: '/dev/full', rotate: large }, '/', process.stdout);
    sink.write(record(1));
    await expect(sink.close()).rejects.toThrow(/1 record not delivered: ENOSPC/);
  });

  it('are refused at the start where they cannot be opened', async () => {
    const where = await folder();
    const opening = openSink('s', { file: '.', rotate: large }, where, process.stdout);
    await expect(opening).rejects.toMatchObject({
      code: 'config',
      message: expect.stringContaining('EISDIR'),
    });
  });
});
