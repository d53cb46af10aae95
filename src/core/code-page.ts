// Text from programs that do not print UTF-8: bytes decoded by a code page, a line at a time. Pure.
import { isUtf8 } from 'node:buffer';
import { bytePages } from './byte-pages.ts';

/** Windows' numbers of code pages for which TextDecoder has a name. */
const labels: Readonly<Record<number, string>> = {
  866: 'ibm866',
  874: 'windows-874',
  932: 'shift_jis',
  936: 'gbk',
  949: 'euc-kr',
  950: 'big5',
  20866: 'koi8-r',
  20932: 'euc-jp',
  21866: 'koi8-u',
  51949: 'euc-kr',
  54936: 'gb18030',
  65001: 'utf-8',
};

/** With `more`, a character that is cut short waits for its rest. */
type Decode = (bytes: Uint8Array, more: boolean) => string;

/**
 * `utf-8`, `cp850`, `windows-1252` or any other name that TextDecoder has, as bytes to text; null for what is none.
 * Each call has a memory of its own for a character that is cut short.
 */
export function decoderOf(encoding: string): Decode | null {
  const page = Number(/^cp(\d{3,5})$/i.exec(encoding)?.[1] ?? Number.NaN);
  if (bytePages[page]) return tableOf(page);
  try {
    const decoder = new TextDecoder(labelOf(page) ?? encoding, { ignoreBOM: true });
    // Also Latin-1 and ASCII by the names of the Encoding Standard.
    if (decoder.encoding === 'windows-1252') return tableOf(1252);
    // Two bytes a character: a line's end could not be found.
    if (decoder.encoding.startsWith('utf-16')) return null;
    return (bytes, more) => decoder.decode(bytes, { stream: more });
  } catch {
    return null;
  }
}

export function isEncoding(name: string): boolean {
  return decoderOf(name) !== null;
}

function labelOf(page: number): string | null {
  if (page >= 1250 && page <= 1258) return `windows-${page}`;
  if (page > 28_591 && page <= 28_606) return `iso-8859-${page - 28_590}`;
  return labels[page] ?? null;
}

function tableOf(page: number): Decode {
  const table = bytePages[page]!;
  return (bytes) => {
    let text = '';
    for (const byte of bytes) text += byte < 128 ? String.fromCharCode(byte) : table[byte - 128];
    return text;
  };
}

/** Bytes of a line without end that wait for it. */
const longestLine = 64 * 1024;
const lineFeed = 0x0a;
const none = new Uint8Array(0);

/**
 * Whole lines as text, however the bytes are cut. A line that is valid UTF-8 is that, whatever the code page: more and
 * more programs print nothing else, and text in another encoding is hardly ever valid by chance.
 */
export class LineDecoder {
  readonly #encoding: string;
  #rest: Uint8Array = none;
  /** Of a line that is too long to wait for its end: once chosen, it stays. */
  #within: Decode | null = null;

  constructor(encoding: string) {
    this.#encoding = encoding;
  }

  /** The text of the lines that end in this piece. */
  push(chunk: Uint8Array): string {
    const bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    const end = bytes.lastIndexOf(lineFeed) + 1;
    this.#rest = bytes.subarray(end);
    const text = this.#lines(bytes.subarray(0, end));
    return this.#rest.length > longestLine ? text + this.#long() : text;
  }

  /** What has no end of its own. */
  end(): string {
    const text = this.#line(this.#rest);
    this.#rest = none;
    return text;
  }

  #lines(bytes: Uint8Array): string {
    if (this.#within === null && isUtf8(bytes)) return Buffer.from(bytes).toString('utf8');
    let text = '';
    for (let at = 0; at < bytes.length; ) {
      const end = bytes.indexOf(lineFeed, at) + 1;
      text += this.#line(bytes.subarray(at, end));
      at = end;
    }
    return text;
  }

  #line(bytes: Uint8Array): string {
    const decode = this.#within ?? decoderOf(isUtf8(bytes) ? 'utf-8' : this.#encoding)!;
    this.#within = null;
    return decode(bytes, false);
  }

  #long(): string {
    this.#within ??= decoderOf(startsAsUtf8(this.#rest) ? 'utf-8' : this.#encoding)!;
    const text = this.#within(this.#rest, true);
    this.#rest = none;
    return text;
  }
}

/** Its last character may be cut short. */
function startsAsUtf8(bytes: Uint8Array): boolean {
  return [0, 1, 2, 3].some((cut) => isUtf8(bytes.subarray(0, bytes.length - cut)));
}
