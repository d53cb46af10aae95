// Ranges of ports, against a plain set of numbers.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countPorts, formatRange, inRanges, mergeRanges, parseRange, parseRanges, portsOf } from './range.ts';

const port = fc.integer({ min: 1, max: 65535 });
const range = fc.tuple(port, port).map(([a, b]) => ({ first: Math.min(a, b), last: Math.max(a, b) }));
const near = fc.integer({ min: 1, max: 60 });
const small = fc.tuple(near, fc.nat(9)).map(([first, more]) => ({ first, last: first + more }));

describe('ranges', () => {
  it('read back as they are printed', () => {
    fc.assert(
      fc.property(range, (value) => {
        expect(parseRange(formatRange(value))).toEqual(value);
      }),
    );
  });

  it('hold the same ports after merging, sorted, apart and counted once', () => {
    fc.assert(
      fc.property(fc.array(small), (ranges) => {
        const set = new Set(ranges.flatMap((one) => [...portsOf([one])]));
        const merged = mergeRanges(ranges);
        expect([...portsOf(merged)]).toEqual([...set].sort((a, b) => a - b));
        expect(countPorts(merged)).toBe(set.size);
        for (let i = 1; i < merged.length; i++)
          expect(merged[i]!.first).toBeGreaterThan(merged[i - 1]!.last + 1);
        for (let at = 1; at <= 71; at++) expect(inRanges(merged, at)).toBe(set.has(at));
      }),
    );
  });

  it('leave what they are given alone', () => {
    const given = [
      { first: 5, last: 9 },
      { first: 1, last: 6 },
    ];
    mergeRanges(given);
    expect(given).toEqual([
      { first: 5, last: 9 },
      { first: 1, last: 6 },
    ]);
  });

  it('come as a list', () => {
    expect(parseRanges('80, 22,8000-8100,8050-8200')).toEqual([
      { first: 22, last: 22 },
      { first: 80, last: 80 },
      { first: 8000, last: 8200 },
    ]);
  });

  it.each([
    ['30-20', /ends before it starts/],
    ['1-2-3', /not a port range/],
    ['3000-', /not a port/],
    ['-3000', /not a port/],
    ['0-10', /not a port/],
    ['1-65536', /not a port/],
    ['', /not a port/],
  ])("refuse '%s'", (text, message) => {
    expect(() => parseRange(text)).toThrow(message);
  });
});
