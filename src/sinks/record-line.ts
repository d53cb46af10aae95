// One received frame as one line of JSON.
import { isUtf8 } from 'node:buffer';
import type { SinkRecord } from './sink.ts';

export type Encode = (record: SinkRecord) => string;
/** Makes of lines of `lineEncoder` what a destination wants of each record. */
export type Relabel = (listener: string, lines: Buffer) => Buffer;

/** `text` where the bytes are valid UTF-8, else `base64`: nothing is lost, and text stays readable. */
export function lineEncoder(): Encode {
  // Frames come in bursts of one connection and one moment: what they share is written once.
  let head = '';
  let time = '';
  let connection = '';
  let listener = '';
  return (record) => {
    if (record.time !== time || record.connection !== connection || record.listener !== listener) {
      ({ time, connection, listener } = record);
      const { client } = record;
      head = `${JSON.stringify({ time, listener, connection, client }).slice(0, -1)},"sequence":`;
    }
    const { sequence, data } = record;
    return `${head}${sequence},"bytes":${data.length},${contentOf(data)}}\n`;
  };
}

/** What JSON writes as it is, of ASCII: most lines are nothing else, and this costs less than JSON.stringify. */
const plain = /^[ !#-[\]-~]*$/;

function contentOf(data: Buffer | string): string {
  if (typeof data !== 'string' && !isUtf8(data)) return `"base64":"${data.toString('base64')}"`;
  const text = typeof data === 'string' ? data : data.toString('utf8');
  return plain.test(text) ? `"text":"${text}"` : `"text":${JSON.stringify(text)}`;
}
