// The programs as bytes, and what is made of the records that they leave.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Assembler } from './assembler.ts';
import { finder, ownTypes, readRecords, recordSize, teller } from './programs.ts';
import { encodeTypes } from './types.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const record = (inode: number, pid: number) => {
  const bytes = Buffer.alloc(recordSize);
  bytes.writeUInt32LE(inode, 0);
  bytes.writeUInt32LE(pid, 8);
  return bytes;
};

describe('instructions', () => {
  it('are encoded as the instruction set says', () => {
    const { code } = new Assembler().set(1, -2).copy(2, 10).increase(2, -16).call(127).exit().program();
    expect(hex(code).match(/.{16}/g)).toEqual([
      'b7010000feffffff',
      'bfa2000000000000',
      '07020000f0ffffff',
      '850000007f000000',
      '9500000000000000',
    ]);
  });

  it('lead to the end from wherever a condition says so', () => {
    const { code } = new Assembler().endIf(7, 0).endUnless(1, 5).copy(1, 2).end().program();
    expect(hex(code).match(/.{16}/g)).toEqual([
      '1507020000000000',
      '5501010005000000',
      'bf21000000000000',
      'b700000000000000',
      '9500000000000000',
    ]);
  });

  it('put a text with its zero byte onto the stack', () => {
    const { code } = new Assembler().pushText(-8, 'abcd').program();
    expect(hex(code).match(/.{16}/g)).toEqual(['620af8ff61626364', '620afcff00000000']);
  });

  it('are whole programs', () => {
    for (const { code } of [finder(), teller(ownTypes())]) {
      expect(code.length % 8).toBe(0);
      expect(code.at(-8)).toBe(0x95);
    }
  });
});

describe('types', () => {
  const types = encodeTypes({ one: { a: 'int', b: 'pointer' } }, 'entry');

  it('say where each member is, and in which words that is told to the kernel', () => {
    const { type, size, offset, access } = types.member('one', 'b');
    expect({ type, size, offset }).toEqual({ type: 5, size: 8, offset: 8 });
    const view = new DataView(types.bytes.buffer);
    const strings = 24 + view.getUint32(16, true);
    const text = Buffer.from(types.bytes.subarray(strings + access));
    expect(text.toString('latin1', 0, text.indexOf(0))).toBe('0:1');
    expect(types.entry).toBe(7);
    expect(() => types.member('one', 'c')).toThrow(RangeError);
  });

  it('have a relocation for each member that a program reads', () => {
    const { relocations, code } = new Assembler(types)
      .read(1, 2, 'one', 'b')
      .read(3, 1, 'one', 'a')
      .program();
    const words = [...new Uint32Array(relocations.buffer)];
    const [a, b] = [types.member('one', 'a').access, types.member('one', 'b').access];
    expect(words).toEqual([0, 5, b, 0, 8, 5, a, 0]);
    expect(hex(code)).toBe('7921080000000000' + '6113000000000000');
  });
});

describe('records', () => {
  it('name each process once for each socket that was asked for', () => {
    const bytes = Buffer.concat([record(7, 10), record(8, 10), record(7, 10), record(7, 11)]);
    const pids = new Map<string, number[]>();
    readRecords(bytes, new Map([[7, '7']]), pids);
    expect([...pids]).toEqual([['7', [10, 11]]]);
  });

  it('are read from any bytes without a fault', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(), (bytes, inode) => {
        const pids = new Map<string, number[]>();
        readRecords(bytes, new Map([[inode, 'x']]), pids);
        expect([...pids.keys()].every((id) => id === 'x')).toBe(true);
      }),
    );
  });
});
