// One received frame as one line of JSON.
import { isUtf8 } from 'node:buffer';
import type { SinkRecord } from './sink.ts';

export type Encode = (record: SinkRecord) => string;

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
    const content = isUtf8(data)
      ? `"text":${JSON.stringify(data.toString('utf8'))}`
      : `"base64":"${data.toString('base64')}"`;
    return `${head}${sequence},"bytes":${data.length},${content}}\n`;
  };
}
