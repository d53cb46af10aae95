// Lines in code pages, as programs on Windows print them; the bytes are Python's.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decoderOf, isEncoding, LineDecoder } from './code-page.ts';

const samples: [encoding: string, bytes: string, text: string][] = [
  ['cp850', '477294e1653a203520f8432c20a5616e64a3', 'Größe: 5 °C, Ñandú'],
  ['cp437', '6e618b766520ab20cdcdcd', 'naïve ½ ═══'],
  ['cp852', '9da264ab2c20a66c759c6f759f6bec', 'Łódź, Žluťoučký'],
  ['cp858', '313020d5206681722084', '10 € für ä'],
  ['cp866', '8fe0a8a2a5e22c20afaee0e2', 'Привет, порт'],
  ['cp1252', '4772f6df653a20933520809420962066696e', 'Größe: “5 €” – fin'],
  ['cp1251', 'cfeef0f220e7e0edfff2', 'Порт занят'],
  ['cp932', '837c815b836720835c815b836720955c8ea6', 'ポート ソート 表示'],
  ['cp936', 'b6cbbfdad2d1b1bbd5bcd3c3', '端口已被占用'],
  ['cp949', 'c6f7c6ae20bbe7bfeb20c1df', '포트 사용 중'],
  ['cp950', 'b373b1b5b0f020a55cafe0', '連接埠 功能'],
];

function decode(encoding: string, ...chunks: Uint8Array[]): string {
  const decoder = new LineDecoder(encoding);
  return chunks.map((chunk) => decoder.push(chunk)).join('') + decoder.end();
}

/** The bytes in pieces of these sizes, over and over. */
function cut(bytes: Uint8Array, sizes: number[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    chunks.push(bytes.subarray(at, at + sizes[i % sizes.length]!));
    at += sizes[i % sizes.length]!;
  }
  return chunks;
}

describe.each(samples)('%s', (encoding, hex, text) => {
  const bytes = Buffer.from(hex, 'hex');

  it('is read', () => {
    expect(decode(encoding, bytes)).toBe(text);
  });

  it('is read beside lines in UTF-8, wherever the bytes are cut', () => {
    const all = Buffer.concat([bytes, Buffer.from(`\r\n${text}\n`), bytes, Buffer.from('\n😀\n')]);
    const whole = `${text}\r\n${text}\n${text}\n😀\n`;
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (sizes) => {
        expect(decode(encoding, ...cut(all, sizes))).toBe(whole);
      }),
    );
  });

  it('is read where a line is too long to wait for its end', () => {
    const many = 100_000;
    const long = Buffer.concat([
      ...Array.from({ length: many / bytes.length }, () => bytes),
      Buffer.from('\nend'),
    ]);
    const pieces = decode(encoding, ...cut(long, [16_383]));
    expect(pieces).toBe(`${text.repeat(many / bytes.length)}\nend`);
  });
});

it('keeps a long line in UTF-8 whole where a character is cut', () => {
  const text = '€'.repeat(100_000);
  expect(decode('cp1252', ...cut(Buffer.from(`${text}\n`), [70_001]))).toBe(`${text}\n`);
});

it('gives the same text for any bytes, wherever they are cut, and never more than a line waits', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...samples.map(([encoding]) => encoding)),
      fc.uint8Array({ maxLength: 300 }),
      fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }),
      (encoding, bytes, sizes) => {
        expect(decode(encoding, ...cut(bytes, sizes))).toBe(decode(encoding, bytes));
      },
    ),
  );
});

it('knows encodings by code page and by name, and refuses what it cannot cut into lines', () => {
  for (const name of ['utf-8', 'cp65001', 'cp437', 'CP850', 'latin1', 'shift_jis', 'cp1257', 'cp28592'])
    expect([name, isEncoding(name)]).toEqual([name, true]);
  for (const name of ['', 'auto', 'cp0', 'cp1200', 'cp99999', 'utf-16le', 'utf-16', 'klingon'])
    expect([name, isEncoding(name)]).toEqual([name, false]);
  expect(decoderOf('cp850')!(Uint8Array.of(0x41, 0x84), false)).toBe('Aä');
});
