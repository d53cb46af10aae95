// Cuts a byte stream into lines that are safe to log.
import type { Readable } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { printable } from '../core/text.ts';

/** A longer line is logged in pieces: a program that never ends its line must not fill the memory. */
export const maxLine = 8192;

/** Calls `take` for every line that has something to show. Bytes are UTF-8; what is not becomes U+FFFD. */
export function readLines(stream: Readable, take: (line: string) => void): void {
  const decoder = new TextDecoder();
  let rest = '';
  const push = (text: string, end: boolean) => {
    const lines = (rest + text).split(/\r?\n/);
    rest = end ? '' : lines.pop()!;
    for (const line of lines) emit(line);
    while (rest.length >= maxLine) {
      emit(rest.slice(0, maxLine));
      rest = rest.slice(maxLine);
    }
  };
  const emit = (line: string) => {
    for (let at = 0; at < line.length; at += maxLine) {
      const shown = printable(stripVTControlCharacters(line.slice(at, at + maxLine)));
      if (shown !== '') take(shown);
    }
  };
  let ended = false;
  const finish = () => {
    if (ended) return;
    ended = true;
    push(decoder.decode(), true);
  };
  stream.on('data', (chunk: Buffer) => push(decoder.decode(chunk, { stream: true }), false));
  stream.on('end', finish);
  stream.on('close', finish);
  // A pipe that breaks has nothing more to say; the exit of the process tells the rest.
  stream.on('error', () => {});
}
