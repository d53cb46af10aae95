// Quantities: what is printed exactly reads back, what is printed for people is near, nonsense is refused.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ReeveError } from './errors.ts';
import {
  exactDuration,
  formatDuration,
  formatRate,
  formatSize,
  parseDuration,
  parseDurationRange,
  parseRate,
  parseSize,
} from './quantity.ts';

const ms = fc.oneof(fc.nat(5000), fc.nat(10_000_000), fc.nat(40 * 86_400_000));

describe('durations', () => {
  it('read back as they are printed exactly', () => {
    fc.assert(
      fc.property(ms, (value) => {
        expect(parseDuration(exactDuration(value))).toBe(value);
      }),
    );
  });

  it('are printed for people within the smaller of the two units shown', () => {
    fc.assert(
      fc.property(ms, (value) => {
        const text = formatDuration(value);
        const coarse =
          value < 1000
            ? 1
            : value < 60_000
              ? 100
              : value < 3_600_000
                ? 1000
                : value < 86_400_000
                  ? 60_000
                  : 3_600_000;
        expect(Math.abs(parseDuration(text) - value)).toBeLessThanOrEqual(coarse);
      }),
    );
  });

  it.each([
    [0, '0ms'],
    [0.25, '0.3ms'],
    [999.6, '1s'],
    [1500, '1.5s'],
    [59_960, '1m'],
    [125_000, '2m 5s'],
    [3_600_000, '1h'],
    [86_400_000 + 5 * 60_000, '1d'],
    [3 * 86_400_000 + 4 * 3_600_000, '3d 4h'],
  ])('%d ms is printed as %s', (value, text) => {
    expect(formatDuration(value)).toBe(text);
  });

  it.each([
    ['500ms', 500],
    [' 1.5m ', 90_000],
    ['2 h', 7_200_000],
    ['1h30m', 5_400_000],
    ['1m 30s', 90_000],
    ['0s', 0],
  ])('%s is %d ms', (text, value) => {
    expect(parseDuration(text)).toBe(value);
  });

  it.each([
    '',
    '5',
    's',
    '-5s',
    '5 parsecs',
    '1e3s',
    '5S',
    '1,5s',
    '5constructor',
    '.5s',
    '5s,',
    `${'9'.repeat(20)}s`,
  ])("refuses '%s'", (text) => {
    expect(() => parseDuration(text)).toThrow(ReeveError);
  });

  it('is through with a long hostile text before the test is over', () => {
    expect(() => parseDuration(`${'1s'.repeat(200_000)}!`)).toThrow(ReeveError);
  });
});

describe('sizes', () => {
  it('are printed for people within a twentieth', () => {
    fc.assert(
      fc.property(fc.nat(Number.MAX_SAFE_INTEGER), (bytes) => {
        expect(Math.abs(parseSize(formatSize(bytes)) - bytes)).toBeLessThanOrEqual(bytes / 20);
      }),
    );
  });
  it.each([
    ['10MB', 10_000_000],
    ['1MiB', 1_048_576],
    ['1.5kB', 1500],
    ['2TiB', 2 * 1024 ** 4],
    ['512B', 512],
  ])('%s is %d bytes', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });
  it.each(['10', '10 mb', '10Mb', '1PB', '99999999TB'])('refuses %s', (text) => {
    expect(() => parseSize(text)).toThrow(ReeveError);
  });
});

describe('rates', () => {
  it('read back as they are printed', () => {
    const rate = fc.record({
      count: fc.integer({ min: 1, max: 1e9 }),
      perMs: fc.integer({ min: 1, max: 1e9 }),
    });
    fc.assert(
      fc.property(rate, (value) => {
        expect(parseRate(formatRate(value))).toEqual(value);
      }),
    );
  });
  it.each([
    ['1000/s', { count: 1000, perMs: 1000 }],
    ['10/1m', { count: 10, perMs: 60_000 }],
    [' 5 / 30s ', { count: 5, perMs: 30_000 }],
  ])('%s', (text, rate) => {
    expect(parseRate(text)).toEqual(rate);
  });
  it.each(['', '5', '/s', '5/', '0/s', '5/0s', '1/2/3', '-1/s', '1.5/s', '5/x', `${'9'.repeat(20)}/s`])(
    "refuses '%s'",
    (text) => {
      expect(() => parseRate(text)).toThrow(ReeveError);
    },
  );
});

describe('ranges of durations', () => {
  it('read back as they are printed', () => {
    const range = fc.tuple(ms, ms).map(([a, b]) => ({ min: Math.min(a, b), max: Math.max(a, b) }));
    fc.assert(
      fc.property(range, (value) => {
        expect(parseDurationRange(`${exactDuration(value.min)}..${exactDuration(value.max)}`)).toEqual(value);
      }),
    );
  });
  it.each(['5s', '5s..', '..5s', '5s..1s', '1s..2s..3s', '1s...2s'])("refuses '%s'", (text) => {
    expect(() => parseDurationRange(text)).toThrow(ReeveError);
  });
});
