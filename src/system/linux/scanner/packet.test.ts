// Segments of the SYN scan: checksums against another way of computing them, replies read and refused.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSynWriter, readReply, synLength } from './packet.ts';

const address = fc.oneof(
  fc.uint8Array({ minLength: 4, maxLength: 4 }),
  fc.uint8Array({ minLength: 16, maxLength: 16 }),
);
const port = fc.integer({ min: 1, max: 65_535 });
const sequence = fc.integer({ min: 0, max: 0xffff_ffff });

/** RFC 1071 by arithmetic: the sum of all words modulo 2^16 − 1, on numbers that cannot overflow. */
function remainder(...parts: Uint8Array[]): bigint {
  const hex = parts.map((part) => Buffer.from(part).toString('hex')).join('');
  return BigInt(`0x${hex}`) % 0xffffn;
}

function pseudoHeader(source: Uint8Array, target: Uint8Array): Uint8Array {
  const tail = source.length === 4 ? [0, 6, 0, synLength] : [0, 0, 0, synLength, 0, 0, 0, 6];
  return Uint8Array.from([...source, ...target, ...tail]);
}

describe('createSynWriter', () => {
  it('writes segments whose checksum holds for every address, port and number', () => {
    fc.assert(
      fc.property(address, port, port, sequence, fc.nat(3), (source, ownPort, to, number, index) => {
        const target = source.map((byte, i) => (byte * 7 + i) & 255);
        const bytes = new Uint8Array(4 * synLength).fill(0xaa);
        createSynWriter(source, target, ownPort).write(bytes, index * synLength, to, number);
        const segment = bytes.subarray(index * synLength, (index + 1) * synLength);
        // A right checksum makes the whole a multiple of 2^16 − 1.
        expect(remainder(pseudoHeader(source, target), segment)).toBe(0n);
        const view = new DataView(segment.buffer, segment.byteOffset);
        expect([view.getUint16(0), view.getUint16(2), view.getUint32(4)]).toEqual([ownPort, to, number]);
        expect([view.getUint32(8), segment[13]]).toEqual([0, 0x02]);
        // Nothing beside its own place was written.
        const outside = bytes.filter((_, i) => Math.floor(i / synLength) !== index);
        expect(outside.every((byte) => byte === 0xaa)).toBe(true);
      }),
    );
  });

  it('writes the segment that was worked out by hand', () => {
    const bytes = new Uint8Array(synLength);
    createSynWriter(Uint8Array.of(127, 0, 0, 1), Uint8Array.of(127, 0, 0, 1), 40_000).write(bytes, 0, 80, 1);
    // 7f00+1 + 7f00+1 + 6+18 + 9c40 + 50 + 0+1 + 6002+ffff + 204+5b4 = 3026a, folded 026d, inverted fd92.
    expect(Buffer.from(bytes).toString('hex')).toBe('9c40005000000001000000006002fffffd920000020405b4');
  });
});

describe('readReply', () => {
  const reply = (flags: number, acknowledged = 0x8000_0001) => {
    const bytes = new Uint8Array(20);
    const view = new DataView(bytes.buffer);
    view.setUint16(0, 443);
    view.setUint16(2, 40_000);
    view.setUint32(8, acknowledged);
    bytes[12] = 0x50;
    bytes[13] = flags;
    return bytes;
  };
  const behindHeader = (segment: Uint8Array, words: number, protocol = 6) => {
    const header = new Uint8Array(words * 4);
    header[0] = 0x40 | words;
    header[9] = protocol;
    return Uint8Array.from([...header, ...segment]);
  };

  it('knows what opens and what closes', () => {
    const common = { port: 443, ownPort: 40_000, acknowledged: 0x8000_0001 };
    expect(readReply(reply(0x12), false)).toEqual({ ...common, answer: 'open' });
    expect(readReply(reply(0x14), false)).toEqual({ ...common, answer: 'closed' });
    // ECN bits may come with a SYN+ACK (RFC 3168 §6.1.1).
    expect(readReply(reply(0x52), false)).toEqual({ ...common, answer: 'open' });
  });

  it('finds the segment behind an IPv4 header with options', () => {
    for (const words of [5, 6, 15]) {
      expect(readReply(behindHeader(reply(0x12), words), true)).toMatchObject({ port: 443, answer: 'open' });
    }
  });

  it.each([
    ['SYN alone', 0x02],
    ['RST without ACK', 0x04],
    ['ACK alone', 0x10],
    ['SYN+RST+ACK', 0x16],
    ['FIN+ACK', 0x11],
    ['nothing', 0],
  ])('takes no notice of %s', (_, flags) => {
    expect(readReply(reply(flags), false)).toBeNull();
  });

  it('takes no notice of other protocols, short and malformed packets', () => {
    expect(readReply(behindHeader(reply(0x12), 5, 17), true)).toBeNull();
    expect(readReply(behindHeader(reply(0x12), 4), true)).toBeNull();
    expect(readReply(reply(0x12), true)).toBeNull();
    expect(readReply(reply(0x12).subarray(0, 19), false)).toBeNull();
    expect(readReply(behindHeader(reply(0x12), 15).subarray(0, 79), true)).toBeNull();
  });

  it('survives anything', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), fc.boolean(), (bytes, withHeader) => {
        const read = readReply(bytes, withHeader);
        if (read === null) return;
        expect(['open', 'closed']).toContain(read.answer);
        expect(read.port).toBeLessThanOrEqual(65_535);
        expect(read.acknowledged).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});
