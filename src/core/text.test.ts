// Text from elsewhere: nothing that steers a terminal or hides itself gets through.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plural, printable } from './text.ts';

describe('printable', () => {
  it('leaves no control, format, line or paragraph separator of Unicode, whatever comes in', () => {
    const risky = fc.constantFrom(
      '\u001b[2J',
      '\r',
      '\n',
      '\u009b',
      '\u202e',
      '\u2066',
      '\u200b',
      '\u061c',
      '\u00ad',
      '\u{e0041}',
      '\ufff9',
      'é',
      '汉',
      '😀',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.array(risky).map((parts) => parts.join('')),
        ),
        (text) => {
          const safe = printable(text);
          expect(safe).not.toMatch(
            /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]|\u200b|\u00ad|[\u{e0000}-\u{e007f}]/u,
          );
          expect(printable(safe)).toBe(safe);
          expect(safe.length).toBeLessThanOrEqual(text.length);
        },
      ),
      { numRuns: 1000 },
    );
  });
  it('keeps what a person wrote', () => {
    for (const text of ['node server.js', 'naïve 汉字', '👍 ok', "it's [fine]"])
      expect(printable(text)).toBe(text);
  });
  it('keeps words apart where something is taken out', () => {
    expect(printable('\u001b]0;evil\u0007a\u0000\nb\t')).toBe(']0;evil a b');
  });
});

describe('plural', () => {
  it('counts', () => {
    expect([
      plural(0, 'port'),
      plural(1, 'port'),
      plural(2, 'port'),
      plural(2, 'process', 'processes'),
    ]).toEqual(['0 ports', '1 port', '2 ports', '2 processes']);
  });
});
