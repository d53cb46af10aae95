// Framing: the same frames however the bytes are split, limits, and cost that grows with the bytes alone.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTextFramer, type Frame } from './ascii-lines.ts';
import { createFramer, type FrameFailure, type FrameKind, type Framer } from './frame.ts';

interface Outcome {
  frames: string[];
  failure: FrameFailure | null;
}

/** What either framer makes of it: both must cut alike. */
function run(kind: FrameKind, limit: number, chunks: Buffer[]): Outcome {
  const outcome = cutBy(createFramer(kind, limit), chunks);
  expect(cutBy(createTextFramer(kind, limit), chunks)).toEqual(outcome);
  return outcome;
}

function cutBy(framer: Framer<Frame>, chunks: Buffer[]): Outcome {
  const frames: Frame[] = [];
  // As a caller does it: after a failure nothing more is pushed.
  for (const chunk of chunks) if (framer.failure === null) frames.push(...framer.push(chunk));
  if (framer.failure === null) frames.push(...framer.end());
  return { frames: frames.map((frame) => frame.toString('latin1')), failure: framer.failure };
}

const text = (...parts: string[]) => parts.map((part) => Buffer.from(part, 'latin1'));

describe('line', () => {
  it.each([
    [['a\nb\n'], ['a', 'b'], null],
    [['a\r\nb'], ['a', 'b'], null],
    [['a\r', '\nb'], ['a', 'b'], null],
    [['\n\r\n'], ['', ''], null],
    [['a\rb\n'], ['a\rb'], null],
    [['a\r'], ['a\r'], null],
    [[''], [], null],
    [['12345\n'], ['12345'], null],
    [['12345\r\n'], ['12345'], null],
    [['12345'], ['12345'], null],
    [['123456\n'], [], 'frame-too-large'],
    [['ok\n1234567'], ['ok'], 'frame-too-large'],
    [['12345\r'], [], 'frame-too-large'],
    [['ok\n123456\nmore\n'], ['ok'], 'frame-too-large'],
  ])('%j with at most 5 bytes → %j, %s', (chunks, frames, failure) => {
    expect(run('line', 5, text(...chunks))).toEqual({ frames, failure });
  });

  it('fails before the end of a line that is too long, without keeping it', () => {
    const framer = createFramer('line', 5);
    framer.push(Buffer.from('1234567'));
    expect(framer.failure).toBe('frame-too-large');
  });
});

it('gives text for lines of ASCII, and bytes where a line has others', () => {
  const push = (bytes: Buffer) => createTextFramer('line', 100).push(bytes);
  expect(push(Buffer.from('a "b"\r\n\0\n'))).toEqual(['a "b"', '\0']);
  expect(push(Buffer.from('a\nü\n'))).toEqual([Buffer.from('a'), Buffer.from('ü')]);
});

describe('length-prefixed', () => {
  it.each([
    [['\0\0\0\x02ab\0\0\0\0\0\0\0\x01c'], ['ab', '', 'c'], null],
    [['\0', '\0\0', '\x02a', 'b'], ['ab'], null],
    [[], [], null],
    [['\0\0'], [], 'frame-incomplete'],
    [['\0\0\0\x02a'], [], 'frame-incomplete'],
    [['\0\0\0\x01a\0\0\0\x06'], ['a'], 'frame-too-large'],
    [['\xff\xff\xff\xff'], [], 'frame-too-large'],
  ])('%j with at most 5 bytes → %j, %s', (chunks, frames, failure) => {
    expect(run('length-prefixed', 5, text(...chunks))).toEqual({ frames, failure });
  });
});

describe('any split of the bytes gives the same frames', () => {
  // Few different bytes, so that line endings and small lengths are common.
  const stream = fc
    .array(fc.constantFrom(0, 0, 0, 2, 5, 10, 13, 65, 200), { maxLength: 80 })
    .map(Buffer.from);
  const cuts = fc.array(fc.nat(80), { maxLength: 12 });

  it.each(['line', 'length-prefixed'] as const)('%s', (kind) => {
    fc.assert(
      fc.property(stream, cuts, fc.integer({ min: 1, max: 8 }), (bytes, at, limit) => {
        expect(run(kind, limit, split(bytes, at))).toEqual(run(kind, limit, [bytes]));
        expect(run(kind, limit, split(bytes, [...bytes.keys()]))).toEqual(run(kind, limit, [bytes]));
      }),
      { numRuns: 1000 },
    );
  });

  it('raw: the bytes, in frames within the limit', () => {
    fc.assert(
      fc.property(stream, cuts, fc.integer({ min: 1, max: 8 }), (bytes, at, limit) => {
        const { frames } = run('raw', limit, split(bytes, at));
        expect(frames.join('')).toBe(bytes.toString('latin1'));
        expect(frames.every((frame) => frame.length > 0 && frame.length <= limit)).toBe(true);
      }),
    );
  });
});

it('costs in proportion to the bytes, not to their square, when they come one at a time', () => {
  const size = 1024 * 1024;
  const one = Buffer.from('x');
  const before = process.memoryUsage().arrayBuffers;
  const framer = createFramer('line', size);
  // A quadratic gather would copy half a terabyte here.
  for (let i = 0; i < size; i++) framer.push(one);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 * size);
  expect(framer.push(Buffer.from('\n'))[0]).toHaveLength(size);
});

function split(bytes: Buffer, at: number[]): Buffer[] {
  const places = [0, ...at.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return places.slice(1).map((end, i) => bytes.subarray(places[i]!, end));
}
