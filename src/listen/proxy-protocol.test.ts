// PROXY headers: known bytes, round trips, and whatever bytes a stranger may send.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalAddress } from '../core/address.ts';
import { announce } from './announce.ts';
import { crc32c } from './crc32c.ts';
import type { ProxyEnds, ProxyHeader } from './proxy-header.ts';
import { parseProxyHeader, writeProxyHeader } from './proxy-protocol.ts';
import { longestV1 } from './proxy-v1.ts';
import { longestV2 } from './proxy-v2.ts';

const parse = (bytes: Buffer | string) => parseProxyHeader(Buffer.from(bytes as string, 'latin1'), true);
const signature = '0d0a0d0a000d0a515549540a';

function value(bytes: Buffer | string): ProxyHeader {
  const parsed = parse(bytes);
  if (parsed.state !== 'done') throw new Error(JSON.stringify(parsed));
  return parsed.value;
}

describe('version 1', () => {
  it('reads the lines of the specification', () => {
    expect(value('PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n').ends).toEqual({
      family: 'ipv4',
      transport: 'stream',
      source: { address: '192.168.0.1', port: 56_324 },
      destination: { address: '192.168.0.11', port: 443 },
    });
    expect(value('PROXY TCP6 2001:db8::1 ::1 1 65535\r\n').ends).toMatchObject({ family: 'ipv6' });
    expect(value('PROXY UNKNOWN\r\n').ends).toBeNull();
    expect(value('PROXY UNKNOWN ffff:f::f ffff::ffff 65535 65535\r\n').ends).toBeNull();
  });

  it('takes its own line and leaves what follows', () => {
    const parsed = parse('PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\nGET / HTTP/1.1\r\n');
    expect(parsed).toMatchObject({ state: 'done', length: 32 });
  });

  it.each([
    ['GET / HTTP/1.1\r\n', 'does not start with PROXY'],
    ['PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n', 'CR LF'],
    ['PROXY TCP4 1.2.3.4 5.6.7.8 1 2 3\r\n', 'two addresses'],
    ['PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n', 'two addresses'],
    ['PROXY  TCP4 1.2.3.4 5.6.7.8 1 2\r\n', 'neither'],
    ['PROXY TCP4 1.2.3.4 5.6.7.8 01 2\r\n', 'port'],
    ['PROXY TCP4 1.2.3.4 5.6.7.8 65536 2\r\n', 'port'],
    ['PROXY TCP4 1.2.3.4 5.6.7.8 -1 2\r\n', 'port'],
    ['PROXY TCP4 1.2.3.04 5.6.7.8 1 2\r\n', 'address'],
    ['PROXY TCP4 ::1 5.6.7.8 1 2\r\n', 'address'],
    ['PROXY TCP6 1.2.3.4 ::1 1 2\r\n', 'address'],
    ['PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n', 'address'],
    ['PROXY UDP4 1.2.3.4 5.6.7.8 1 2\r\n', 'neither'],
    [`PROXY UNKNOWN ${'x'.repeat(longestV1)}\r\n`, 'within 107'],
  ])('refuses %j', (text, why) => {
    expect(parse(text)).toMatchObject({ state: 'wrong', why: expect.stringContaining(why) });
  });
});

describe('version 2', () => {
  it('reads a header byte by byte as written in the specification', () => {
    const header = Buffer.from(`${signature}2111000c7f0000010a000002303900500a`, 'hex');
    expect(parse(header)).toMatchObject({ state: 'done', length: 28 });
    expect(value(header).ends).toEqual({
      family: 'ipv4',
      transport: 'stream',
      source: { address: '127.0.0.1', port: 12_345 },
      destination: { address: '10.0.0.2', port: 80 },
    });
  });

  it('ignores what a LOCAL header says', () => {
    const header = Buffer.from(`${signature}2000000401020304`, 'hex');
    expect(value(header)).toEqual({ command: 'local', ends: null, tlvs: [], checksum: false });
  });

  it.each([
    ['the signature', '0d0a0d0a000d0a515549540b2111000c', 'signature'],
    ['version 1', `${signature}11110000`, 'version 1'],
    ['command 2', `${signature}22110000`, 'command 2'],
    ['an unknown family', `${signature}21410000`, 'unknown'],
    ['an unknown transport', `${signature}21130000`, 'unknown'],
    ['addresses cut short', `${signature}2111000b${'00'.repeat(11)}`, 'too short'],
    ['half a field', `${signature}2111000e${'00'.repeat(12)}0101`, 'no field'],
    ['a field that is too long', `${signature}2111000f${'00'.repeat(12)}010001`, 'longer than'],
    ['too many bytes', `${signature}2111ffff`, 'where 8192 are accepted'],
    ['a wrong checksum', `${signature}21110013${'00'.repeat(12)}030004deadbeef`, 'checksum is wrong'],
    ['a short checksum', `${signature}21110011${'00'.repeat(12)}0300020000`, 'checksum is wrong'],
  ])('refuses %s', (_what, hex, why) => {
    expect(parse(Buffer.from(hex, 'hex'))).toMatchObject({
      state: 'wrong',
      why: expect.stringContaining(why),
    });
  });

  it('knows CRC32c by its published check value', () => {
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
    // RFC 3720 B.4: 32 bytes of zeros.
    expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa);
  });

  it('notices any flipped bit under a checksum', () => {
    fc.assert(
      fc.property(headers('v2'), fc.nat(), fc.nat(7), (header, where, bit) => {
        fc.pre(header.command === 'proxy');
        const bytes = writeProxyHeader('v2', { ...header, checksum: true });
        const at = where % bytes.length;
        bytes[at]! ^= 1 << bit;
        const parsed = parseProxyHeader(bytes, 'v2');
        // What remains may be LOCAL, whose fields do not count, or wait for more than will come; it is never believed.
        if (parsed.state === 'done' && parsed.value.command === 'proxy')
          expect(parsed.value.checksum).toBe(false);
      }),
    );
  });
});

const port = fc.integer({ min: 0, max: 65_535 });
const ends: fc.Arbitrary<ProxyEnds> = fc.oneof(
  fc.record({
    family: fc.constant('ipv4' as const),
    transport: fc.constant('stream' as const),
    source: fc.record({ address: fc.ipV4(), port }),
    destination: fc.record({ address: fc.ipV4(), port }),
  }),
  fc.record({
    family: fc.constant('ipv6' as const),
    transport: fc.constantFrom('stream' as const, 'dgram' as const),
    source: fc.record({ address: fc.ipV6().map(canonicalAddress), port }),
    destination: fc.record({ address: fc.ipV6().map(canonicalAddress), port }),
  }),
  fc.record({
    family: fc.constant('unix' as const),
    transport: fc.constant('stream' as const),
    source: fc.uint8Array({ minLength: 108, maxLength: 108 }).map((bytes) => Buffer.from(bytes)),
    destination: fc.uint8Array({ minLength: 108, maxLength: 108 }).map((bytes) => Buffer.from(bytes)),
  }),
);

function headers(version: 'v1' | 'v2'): fc.Arbitrary<ProxyHeader> {
  const tlv = fc.record({
    type: fc.integer({ min: 0, max: 255 }).filter((type) => type !== 3),
    value: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  });
  const proxied = fc.record({
    command: fc.constant('proxy' as const),
    ends: fc.option(ends),
    tlvs: fc.array(tlv, { maxLength: version === 'v1' ? 0 : 5 }),
    checksum: version === 'v1' ? fc.constant(false) : fc.boolean(),
  });
  const local = fc.constant<ProxyHeader>({ command: 'local', ends: null, tlvs: [], checksum: false });
  return fc.oneof({ weight: 9, arbitrary: proxied }, { weight: 1, arbitrary: local });
}

describe('any header', () => {
  it('comes back from version 2 as it was, and not a byte earlier', () => {
    fc.assert(
      fc.property(headers('v2'), fc.uint8Array({ maxLength: 40 }), (header, rest) => {
        const bytes = writeProxyHeader('v2', header);
        const parsed = parseProxyHeader(Buffer.concat([bytes, rest]), true);
        expect(parsed).toEqual({ state: 'done', length: bytes.length, value: header });
        for (let cut = 0; cut < bytes.length; cut += 7) {
          expect(parseProxyHeader(bytes.subarray(0, cut), true)).toEqual({ state: 'more' });
        }
      }),
    );
  });

  it('comes back from version 1 as far as that can say it', () => {
    fc.assert(
      fc.property(headers('v1'), (header) => {
        const bytes = writeProxyHeader('v1', header);
        expect(bytes.length).toBeLessThanOrEqual(longestV1);
        const sayable = header.ends && header.ends.family !== 'unix' && header.ends.transport === 'stream';
        expect(value(bytes).ends).toEqual(sayable ? header.ends : null);
        for (let cut = 0; cut < bytes.length; cut++) {
          expect(parseProxyHeader(bytes.subarray(0, cut), true)).toEqual({ state: 'more' });
        }
      }),
    );
  });

  it('is only of the version that is accepted', () => {
    const header = { command: 'proxy', ends: null, tlvs: [], checksum: false } as const;
    expect(parseProxyHeader(writeProxyHeader('v1', { ...header, tlvs: [] }), 'v2').state).toBe('wrong');
    expect(parseProxyHeader(writeProxyHeader('v2', { ...header, tlvs: [] }), 'v1').state).toBe('wrong');
  });

  it('never makes the parser throw, nor wait for more than the longest header', () => {
    const anything = fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes));
    const almost = fc
      .tuple(headers('v2'), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }))
      .map(([header, changes]) => {
        const bytes = writeProxyHeader('v2', header);
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
        return bytes;
      });
    fc.assert(
      fc.property(fc.oneof(anything, almost), (bytes) => {
        const parsed = parseProxyHeader(bytes, true);
        if (parsed.state === 'done') expect(parsed.length).toBeLessThanOrEqual(bytes.length);
        const filled = Buffer.concat([bytes, Buffer.alloc(16 + longestV2, 0x20)]);
        expect(parseProxyHeader(filled, true).state).not.toBe('more');
      }),
    );
  });
});

describe('what a target is told', () => {
  const own = { client: { address: '10.0.0.9', port: 5000 }, local: { address: '::1', port: 80 } };

  it("is the connection's own ends, in one family", () => {
    expect(announce('v1', own, null).toString()).toBe('PROXY TCP6 ::ffff:10.0.0.9 ::1 5000 80\r\n');
    const plain = { ...own, local: { address: '10.0.0.1', port: 80 } };
    expect(announce('v1', plain, null).toString()).toBe('PROXY TCP4 10.0.0.9 10.0.0.1 5000 80\r\n');
  });

  it('is what a proxy before has told, fields and checksum with it', () => {
    const heard: ProxyHeader = {
      command: 'proxy',
      ends: {
        family: 'ipv4',
        transport: 'stream',
        source: { address: '192.0.2.7', port: 1 },
        destination: { address: '192.0.2.8', port: 2 },
      },
      tlvs: [{ type: 0x02, value: Buffer.from('a.example.com') }],
      checksum: true,
    };
    expect(value(announce('v2', own, heard))).toEqual(heard);
    const local: ProxyHeader = { command: 'local', ends: null, tlvs: [], checksum: false };
    expect(value(announce('v2', own, local))).toEqual(local);
    expect(announce('v1', own, local).toString()).toBe('PROXY UNKNOWN\r\n');
  });
});
