// Command lines of Windows: words out of a text, and a text that gives the same words again.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { joinCommandLine, splitCommandLine } from './command-line.ts';

describe('splitCommandLine()', () => {
  // The examples of "Parsing C++ command-line arguments".
  it.each([
    ['"a b c" d e', ['a b c', 'd', 'e']],
    [String.raw`"ab\"c" "\\" d`, ['ab"c', '\\', 'd']],
    [String.raw`a\\\b d"e f"g h`, [String.raw`a\\\b`, 'de fg', 'h']],
    [String.raw`a\\\"b c d`, [String.raw`a\"b`, 'c', 'd']],
    [String.raw`a\\\\"b c" d e`, [String.raw`a\\b c`, 'd', 'e']],
    ['a"b"" c d', ['ab" c d']],
    ['"" x', ['', 'x']],
    [
      String.raw`"C:\Program Files\nodejs\node.exe"  server.js`,
      [String.raw`C:\Program Files\nodejs\node.exe`, 'server.js'],
    ],
    ['', []],
  ])('%s', (line, words) => {
    expect(splitCommandLine(line)).toEqual(words);
  });
});

describe('joinCommandLine()', () => {
  it('quotes what needs it', () => {
    expect(joinCommandLine(['node.exe', 'a b', '', 'c"d', 'e\\', 'f g\\'])).toBe(
      String.raw`node.exe "a b" "" "c\"d" e\ "f g\\"`,
    );
  });

  it('gives the same words again', () => {
    const word = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom('"', '\\', ' ', 'a', '\t') }));
    fc.assert(
      fc.property(fc.array(word), (words) => {
        expect(splitCommandLine(joinCommandLine(words))).toEqual(words);
      }),
    );
  });
});
