// Lines from bytes, however the bytes are cut.
import { PassThrough, Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { maxLine, readLines } from './lines.ts';

async function linesOf(chunks: Uint8Array[]): Promise<string[]> {
  const lines: string[] = [];
  const stream = Readable.from(chunks, { objectMode: false });
  readLines(stream, (line) => lines.push(line));
  await finished(stream);
  return lines;
}

test('lines end with LF or CRLF; the last needs no end; empty ones are left out', async () => {
  expect(await linesOf([Buffer.from('one\r\ntwo\n\n  \nthree')])).toEqual(['one', 'two', 'three']);
});

test('colours and other controls are taken out', async () => {
  const bytes = Buffer.from('\x1b[31mred\x1b[0m \x07bell\x1b]0;title\x07 \u202eevil\n');
  expect(await linesOf([bytes])).toEqual(['red  bell  evil']);
});

test('a line without end is told in pieces of a bounded length', async () => {
  const chunks = Array.from({ length: 100 }, () => Buffer.alloc(1000, 'x'));
  const lines = await linesOf(chunks);
  expect(Math.max(...lines.map((line) => line.length))).toBe(maxLine);
  expect(lines.join('')).toBe('x'.repeat(100_000));
});

test('the same lines come out wherever the bytes are cut, even inside a character', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.stringMatching(/^[a-zäß€😀]{1,20}$/u), { minLength: 1, maxLength: 20 }),
      fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1 }),
      async (lines, sizes) => {
        const bytes = Buffer.from(lines.join('\n'));
        const chunks: Uint8Array[] = [];
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const size = sizes[i % sizes.length]!;
          chunks.push(bytes.subarray(at, at + size));
          at += size;
        }
        expect(await linesOf(chunks)).toEqual(lines);
      },
    ),
  );
});

test('a pipe that breaks ends the last line instead of the process', async () => {
  const lines: string[] = [];
  const stream = new PassThrough();
  readLines(stream, (line) => lines.push(line));
  stream.write('last words');
  await new Promise((resolve) => setImmediate(resolve));
  stream.destroy(new Error('EIO'));
  await new Promise((resolve) => stream.once('close', resolve));
  expect(lines).toEqual(['last words']);
});
