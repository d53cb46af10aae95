// What is said to a server and what it must answer: text, bytes as `hex:`, a regular expression as `/…/`.
import { ReeveError } from '../core/errors.ts';
import { printable } from '../core/text.ts';

/** An answer is read this far. */
export const longestAnswer = 64 * 1024;

export function bytesOf(text: string): Buffer {
  if (!text.startsWith('hex:')) return Buffer.from(text);
  const digits = text.slice(4).replaceAll(/\s/g, '');
  if (/^([0-9a-f]{2})*$/i.test(digits)) return Buffer.from(digits, 'hex');
  throw new ReeveError(
    'usage',
    `'${printable(text).slice(0, 100)}' is no hex: write pairs of digits, hex:00ff`,
  );
}

/** @throws ReeveError `usage` for what is no regular expression, or no hex. */
export function matcherOf(expect: string): (answer: Buffer) => boolean {
  const [, pattern] = /^\/(.+)\/$/s.exec(expect) ?? [];
  if (pattern === undefined) {
    const bytes = bytesOf(expect);
    return (answer) => answer.includes(bytes);
  }
  try {
    const regex = new RegExp(pattern, 's');
    return (answer) => regex.test(answer.toString());
  } catch (error) {
    throw new ReeveError(
      'usage',
      `'${printable(expect)}' is no regular expression: ${(error as Error).message}`,
    );
  }
}

/** The beginning of an answer, for a person. */
export function excerpt(answer: Buffer): string {
  const text = printable(answer.subarray(0, 100).toString());
  return text === '' ? 'nothing' : `'${text}'`;
}
