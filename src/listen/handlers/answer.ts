// What a handler answered, as bytes.
import type { Answer } from './types.ts';

export function isIterable(answer: unknown): answer is AsyncIterable<Answer> {
  return typeof answer === 'object' && answer !== null && Symbol.asyncIterator in answer;
}

/** @throws TypeError for what is neither text nor bytes nor nothing. */
export function bytesOf(answer: Answer): Uint8Array | null {
  if (answer === undefined || answer === null || answer === '') return null;
  if (typeof answer === 'string') return Buffer.from(answer);
  if (answer instanceof Uint8Array) return answer;
  throw new TypeError(`a handler answers text, bytes or nothing, and this is ${typeof answer}`);
}
