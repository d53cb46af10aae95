// Batches of records come out as they went in, however the stream is cut.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Batch, BatchDecoder, packBatch } from './batch.ts';

const batch = fc.record({
  listener: fc.nat(2 ** 32 - 1),
  number: fc.maxSafeNat(),
  lines: fc.nat(2 ** 32 - 1),
  text: fc.string({ minLength: 1, unit: 'grapheme' }),
});

it('gives back what was packed, whatever the pieces', () => {
  fc.assert(
    fc.property(fc.array(batch, { maxLength: 5 }), fc.integer({ min: 1, max: 40 }), (batches, size) => {
      const bytes = Buffer.concat(
        batches.map(({ listener, number, lines, text }) => packBatch(listener, number, lines, text)),
      );
      const decoder = new BatchDecoder();
      const got: Batch[] = [];
      for (let at = 0; at < bytes.length; at += size)
        got.push(...decoder.push(Buffer.from(bytes.subarray(at, at + size))));
      expect(got.map(({ bytes, ...rest }) => ({ ...rest, text: bytes.toString() }))).toEqual(batches);
    }),
    { numRuns: 300 },
  );
});

it('refuses what is no batch', () => {
  expect(() => new BatchDecoder().push(Buffer.from('nonsense'))).toThrow(/no batch of records/);
  expect(() => new BatchDecoder().push(Buffer.from([0, 0, 0, 1, 9]))).toThrow(/no batch of records: 1 bytes/);
});
