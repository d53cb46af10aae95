// What a program prints in a code page, as UTF-8: files and logs are in one encoding, whatever the programs use.
import { type Readable, Transform } from 'node:stream';
import { LineDecoder } from '../core/code-page.ts';

/** The stream itself where nothing is to be done. */
export function recoded(readable: Readable, encoding: string): Readable {
  if (encoding === 'utf-8') return readable;
  const decoder = new LineDecoder(encoding);
  const lines = new Transform({
    transform(chunk: Buffer, _, done) {
      push(decoder.push(chunk));
      done();
    },
    flush(done) {
      push(decoder.end());
      done();
    },
  });
  const push = (text: string) => text !== '' && lines.push(text);
  const finish = () => lines.writableEnded || lines.end();
  // A pipe that breaks ends nothing by itself.
  readable.once('close', finish).once('error', finish);
  return readable.pipe(lines);
}
