// Lists of processes from bytes, and the time of Windows.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeProcessList, fileTime } from './process-list.ts';

const base = 0x10000n;

/** Entries of 256 bytes, the name behind the fixed part. */
function list(...entries: { pid: number; parent: number; created: bigint; name: string }[]): Uint8Array {
  const bytes = new Uint8Array(256 * entries.length);
  const view = new DataView(bytes.buffer);
  entries.forEach(({ pid, parent, created, name }, i) => {
    const at = 256 * i;
    view.setUint32(at, i === entries.length - 1 ? 0 : 256, true);
    view.setBigUint64(at + 32, created, true);
    view.setUint16(at + 56, name.length * 2, true);
    view.setBigUint64(at + 64, name ? base + BigInt(at + 104) : 0n, true);
    view.setBigUint64(at + 80, BigInt(pid), true);
    view.setBigUint64(at + 88, BigInt(parent), true);
    bytes.set(Buffer.from(name, 'utf16le'), at + 104);
  });
  return bytes;
}

describe('decodeProcessList()', () => {
  it('reads PID, parent, creation time and name', () => {
    const created = 134_397_774_581_340_710n;
    const bytes = list(
      { pid: 0, parent: 0, created: 0n, name: '' },
      { pid: 4, parent: 0, created: 1n, name: 'System' },
      { pid: 4711, parent: 4, created, name: 'nödé.exe' },
    );
    expect(decodeProcessList(bytes, base)).toEqual([
      { pid: 0, parent: 0, created: 0n, name: 'System Idle Process' },
      { pid: 4, parent: 0, created: 1n, name: 'System' },
      { pid: 4711, parent: 4, created, name: 'nödé.exe' },
    ]);
  });

  it('never reads outside of the bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 512 }), (bytes) => void decodeProcessList(bytes, base)));
  });
});

it('turns a FILETIME into a date', () => {
  expect(fileTime(116_444_736_000_000_000n)?.getTime()).toBe(0);
  expect(fileTime(134_397_774_581_340_710n)?.toISOString()).toBe('2026-11-21T23:30:58.134Z');
  expect(fileTime(0n)).toBeNull();
});
