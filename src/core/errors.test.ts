// Errors: their codes' faces, and which exit code wins.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { errorCode, errorMessage, exit, isReeveError, OsError, ReeveError, worstExit } from './errors.ts';

describe('ReeveError', () => {
  it('knows its exit code and HTTP status', () => {
    const error = new ReeveError('config', 'wrong', { hint: 'mend it', cause: 1 });
    expect(error).toMatchObject({
      exitCode: 2,
      httpStatus: 422,
      hint: 'mend it',
      cause: 1,
      name: 'ReeveError',
    });
    expect(new ReeveError('timeout', 'late')).toMatchObject({ exitCode: 5, hint: null });
  });
  it('is known by its marks, not by its class', () => {
    class Other extends Error {
      override name = 'ReeveError';
      exitCode = 1;
    }
    expect([new ReeveError('usage', ''), new Other(), new Error('x'), null].map(isReeveError)).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });
});

describe('worstExit', () => {
  const codes = fc.array(fc.constantFrom(...Object.values(exit)));
  it('does not depend on the order, and is one of the codes', () => {
    fc.assert(
      fc.property(codes, (list) => {
        const worst = worstExit(list);
        expect(worstExit([...list].reverse())).toBe(worst);
        expect([...list, exit.done]).toContain(worst);
        expect(worstExit([...list, exit.fault])).toBe(exit.fault);
      }),
    );
  });
  it('lets a code that is none of ours count as a fault', () => {
    expect(worstExit([exit.no, 99])).toBe(exit.fault);
  });
});

describe('errorCode and errorMessage', () => {
  it('take anything that was thrown', () => {
    expect(errorCode(new OsError('EADDRINUSE', 98, 'bind'))).toBe('EADDRINUSE');
    expect([null, undefined, 'x', { code: 5 }].map(errorCode)).toEqual([null, null, null, null]);
    expect([new Error('a'), 'b', null].map(errorMessage)).toEqual(['a', 'b', 'null']);
  });
});
