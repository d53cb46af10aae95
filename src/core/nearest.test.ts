// "Did you mean": one slip is found, nonsense is not, and length costs nothing.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nearest } from './nearest.ts';

describe('nearest', () => {
  const known = ['command', 'instances', 'listeners', 'bind', 'port'];
  it.each([
    ['comand', 'command'],
    ['comamnd', 'command'],
    ['Listener', 'listeners'],
    ['bnid', 'bind'],
    ['prot', 'port'],
    ['database', null],
    ['', null],
  ])('%s', (word, guess) => {
    expect(nearest(word, known)).toBe(guess);
  });
  it('does not look at a word of a megabyte', () => {
    expect(nearest('x'.repeat(1_000_000), known)).toBe(null);
  });
  it('finds the word itself', () => {
    fc.assert(
      fc.property(fc.constantFrom(...known), (word) => {
        expect(nearest(word, known)).toBe(word);
      }),
    );
  });
});
