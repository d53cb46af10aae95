// What sinks do beyond their contract (test/contract/sinks.ts): failing, and what only files do.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { Writable } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eventually } from '../../test/support/children.ts';
import { needs } from '../../test/support/parts.ts';
import { Console, folder, large, opened, parse, record } from '../../test/support/sinks.ts';
import type { ReeveEvent } from '../core/context.ts';
import { lineEncoder } from './record-line.ts';
import type { Rotation } from './rotate.ts';

it('writes any bytes so that they can be had back', () => {
  const encode = lineEncoder();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const line = encode(record(1, Buffer.from(bytes)));
      const { text, base64 } = JSON.parse(line) as { text?: string; base64?: string };
      expect(line.indexOf('\n')).toBe(line.length - 1);
      const ascii = bytes.map((byte) => byte & 0x7f);
      const sent = Buffer.from(ascii).toString('latin1');
      expect(JSON.parse(encode({ ...record(1), data: sent }))).toMatchObject({
        bytes: sent.length,
        text: sent,
      });
      expect(text === undefined ? Buffer.from(base64!, 'base64') : Buffer.from(text)).toEqual(
        Buffer.from(bytes),
      );
    }),
    { numRuns: 2000 },
  );
});

describe('a sink that fails', () => {
  it('keeps what it accepted, lets writers wait, says so once, and goes on when it can', async () => {
    const stdout = new Console();
    stdout.broken = new Error('ENOSPC: no space left');
    const events: ReeveEvent[] = [];
    const sink = await opened({ stdout: true }, { stdout, events });
    expect(sink.write(record(1))).toBeUndefined();
    await eventually(() => sink.failure);
    const second = sink.write(record(2));
    expect(second).toBeDefined();
    expect(sink.counters()).toMatchObject({ accepted: 1, delivered: 0, failures: 1 });
    await new Promise((resolve) => setTimeout(resolve, 300));
    stdout.broken = null;
    await second;
    await eventually(() => sink.failure === null);
    expect(sink.write(record(3))).toBeUndefined();
    await sink.close();
    expect(parse(stdout.text).map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
    expect(events.map(({ subject, detail }) => [subject, detail.failing])).toEqual([
      ['sink/s', true],
      ['sink/s', false],
    ]);
    expect(events[0]!.message).toContain('cannot write: ENOSPC: no space left');
  });

  it('does not hang on a stream that has failed for good', async () => {
    const stdout = new Writable({ write: (_chunk, _encoding, done) => done(new Error('EPIPE')) });
    const sink = await opened({ stdout: true }, { stdout });
    sink.write(record(1));
    await eventually(() => sink.failure);
    const waiting = sink.write(record(2))!;
    await Promise.all([
      expect(sink.close()).rejects.toThrow(/1 record not delivered: EPIPE/),
      expect(waiting).rejects.toThrow(/closed before it could take this/),
    ]);
    expect(sink.counters().dropped).toEqual({ closed: 1 });
  });

  it('says at its end what it could not deliver', async () => {
    const stdout = new Console();
    stdout.broken = new Error('EPIPE');
    const sink = await opened({ stdout: true }, { stdout });
    sink.write(record(1));
    sink.write(record(2));
    await expect(sink.close()).rejects.toThrow(/2 records not delivered: EPIPE/);
  });
});

describe('files', () => {
  const open = (where: string, rotate: Rotation = large) =>
    opened({ file: 'events.jsonl', rotate }, { where });

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
    await eventually(() => sink.failure);
    const waiting = sink.write(record(3));
    expect(sink.counters().delivered).toBe(1);
    rmSync(obstacle, { recursive: true });
    await waiting;
    await sink.close();
    expect(sink.counters()).toMatchObject({ accepted: 3, delivered: 3 });
    expect(existsSync(obstacle)).toBe(true);
  });

  it.runIf(needs('a full disk', 'linux'))('say that the disk is full', async () => {
    const sink = await opened({ file: '/dev/full' });
    sink.write(record(1));
    await expect(sink.close()).rejects.toThrow(/1 record not delivered: ENOSPC/);
  });

  it('are rotated when they are too old, also over a restart', async () => {
    const where = await folder();
    const rotate = { ...large, age: 1500 };
    const first = await open(where, rotate);
    await first.write(record(1));
    await first.close();
    const sink = await open(where, rotate);
    await sink.write(record(2));
    await eventually(() => sink.counters().delivered === 1);
    expect(await readdir(where)).toEqual(['events.jsonl']);
    let sequence = 2;
    await eventually(async () => {
      await sink.write(record(++sequence));
      return existsSync(path.join(where, 'events.jsonl.1'));
    });
    await sink.close();
    const aside = parse(readFileSync(path.join(where, 'events.jsonl.1'), 'utf8'));
    expect(aside.map((line) => line.sequence).slice(0, 2)).toEqual([1, 2]);
  });

  it('are compressed when they were put aside, whatever lies there from before', async () => {
    const where = await folder();
    // From a time when nothing was compressed.
    writeFileSync(path.join(where, 'events.jsonl.1'), '{"sequence":0}\n');
    const sink = await open(where, { size: 1000, keep: 3, gzip: true });
    for (let i = 1; i <= 60; i++) await sink.write(record(i));
    await sink.close();
    const names = (await readdir(where)).sort();
    expect(names).toEqual(['events.jsonl', 'events.jsonl.1.gz', 'events.jsonl.2.gz', 'events.jsonl.3.gz']);
    const text = ['.3.gz', '.2.gz', '.1.gz'].map((end) =>
      gunzipSync(readFileSync(path.join(where, `events.jsonl${end}`))).toString(),
    );
    const all = parse(text.join('') + readFileSync(path.join(where, 'events.jsonl'), 'utf8'));
    const numbers = all.map(({ sequence }) => sequence as number);
    expect(numbers.at(-1)).toBe(60);
    expect(numbers).toEqual(numbers.map((_, i) => 61 - numbers.length + i));
  });

  it.each(['interval', 'every'] as const)('are forced to the disk: fsync %s', async (fsync) => {
    const where = await folder();
    const sink = await opened({ file: 'events.jsonl', fsync }, { where });
    for (let i = 1; i <= 10; i++) await sink.write(record(i));
    await sink.close();
    expect(parse(readFileSync(path.join(where, 'events.jsonl'), 'utf8'))).toHaveLength(10);
  });

  it('are refused at the start where they cannot be opened', async () => {
    const where = await folder();
    const opening = opened({ file: '.' }, { where });
    await expect(opening).rejects.toMatchObject({
      code: 'config',
      message: expect.stringContaining('EISDIR'),
    });
  });
});
