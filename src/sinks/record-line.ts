// One received frame as one line of JSON.
import { isUtf8 } from 'node:buffer';
import type { SinkRecord } from './sink.ts';

/** `text` where the bytes are valid UTF-8, else `base64`: nothing is lost, and text stays readable. */
export function recordLine({ time, listener, client, sequence, data }: SinkRecord): string {
  const content = isUtf8(data) ? { text: data.toString('utf8') } : { base64: data.toString('base64') };
  return `${JSON.stringify({ time, listener, client, sequence, ...content })}\n`;
}
