// ClientHellos of real clients, and every way to spoil them.
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ClientHello, longestHello, parseClientHello } from './client-hello.ts';

const captured = JSON.parse(
  readFileSync(new URL('../../test/fixtures/client-hellos/hellos.json', import.meta.url), 'utf8'),
) as Record<string, string>;
const hello = (name: string) => Buffer.from(captured[name]!, 'base64');

function value(bytes: Buffer): ClientHello {
  const parsed = parseClientHello(bytes);
  if (parsed.state !== 'done') throw new Error(JSON.stringify(parsed));
  expect(parsed.length).toBe(0);
  return parsed.value;
}

/** A hello whose parts are as given, in one record. */
function made(extensions: Buffer, parts: { suites?: Buffer; session?: Buffer } = {}): Buffer {
  const { suites = Buffer.from('1301', 'hex'), session = Buffer.alloc(0) } = parts;
  const body = Buffer.concat([
    Buffer.from('0303', 'hex'),
    Buffer.alloc(32, 7),
    Buffer.from([session.length]),
    session,
    sized(suites),
    Buffer.from('0100', 'hex'),
    sized(extensions),
  ]);
  const head = Buffer.from([1, 0, body.length >> 8, body.length & 255]);
  return record(Buffer.concat([head, body]));
}

function record(fragment: Buffer): Buffer {
  return Buffer.concat([Buffer.from('160301', 'hex'), sized(fragment)]);
}

function sized(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);
}

const extension = (type: number, body: Buffer) => Buffer.concat([Buffer.from([0, type]), sized(body)]);
const named = (name: string, kind = 0) =>
  extension(0, sized(Buffer.concat([Buffer.from([kind]), sized(Buffer.from(name, 'latin1'))])));

describe('of real clients', () => {
  it.each([
    ['s_client', 'a.example.com', ['h2', 'http/1.1']],
    ['s_client-unnamed', null, []],
    ['curl', 'b.example.com', ['h2', 'http/1.1']],
    ['node', 'c.example.com', []],
  ])('%s', (name, serverName, protocols) => {
    expect(value(hello(name))).toEqual({ serverName, protocols });
  });

  it('in three records', () => {
    const { serverName, protocols } = value(hello('s_client-split'));
    expect([serverName, protocols.length]).toEqual(['d.example.com', 10]);
  });

  it.each(Object.keys(captured))('%s waits for its last byte, and for no further one', (name) => {
    const bytes = hello(name);
    for (let cut = 0; cut < bytes.length; cut++) {
      expect(parseClientHello(bytes.subarray(0, cut)).state).toBe('more');
    }
    expect(value(Buffer.concat([bytes, Buffer.from('170303')]))).toEqual(value(bytes));
  });

  it.each(Object.keys(captured))('%s cut into records anywhere says the same', (name) => {
    const whole = hello(name);
    const message = Buffer.concat(fragmentsOf(whole));
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: message.length - 1 }), { maxLength: 6 }), (cuts) => {
        const at = [0, ...new Set(cuts), message.length].sort((a, b) => a - b);
        const records = at.slice(1).map((end, i) => record(message.subarray(at[i], end)));
        expect(value(Buffer.concat(records))).toEqual(value(whole));
      }),
    );
  });

  it.each(Object.keys(captured))(
    '%s with anything changed never throws, and is never waited for long',
    (name) => {
      const bytes = hello(name);
      fc.assert(
        fc.property(
          fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { maxLength: 5 }),
          (changes) => {
            const spoilt = Buffer.from(bytes);
            for (const [at, byte] of changes) spoilt[at] = byte;
            parseClientHello(spoilt);
            const filled = Buffer.concat([spoilt, Buffer.alloc(5 * longestHello, 1)]);
            expect(parseClientHello(filled).state).not.toBe('more');
          },
        ),
      );
    },
  );
});

function fragmentsOf(bytes: Buffer): Buffer[] {
  const fragments: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 5 + bytes.readUInt16BE(at + 3);
    fragments.push(bytes.subarray(at + 5, end));
    at = end;
  }
  return fragments;
}

describe('made by hand', () => {
  it('is read with the name in lower case', () => {
    expect(value(made(named('A.Example.Com'))).serverName).toBe('a.example.com');
  });

  it.each([
    ['a request in clear', Buffer.from('GET / HTTP/1.1\r\n\r\n'), 'not a TLS handshake'],
    ['SSL 2', Buffer.from('802e0100', 'hex'), 'not a TLS handshake'],
    ['another handshake message', record(Buffer.from('02000000', 'hex')), 'not a ClientHello'],
    ['an empty record', record(Buffer.alloc(0)), 'a record of 0 bytes'],
    ['a record that is too long', Buffer.from('1603014001', 'hex'), 'a record of 16385 bytes'],
    ['a message that is too long', record(Buffer.from('01010000', 'hex')), 'a ClientHello of 65536 bytes'],
    [
      'a second message behind it',
      record(Buffer.concat([fragmentsOf(made(named('a')))[0]!, Buffer.of(1)])),
      'more than one message',
    ],
    [
      'many records',
      Buffer.concat([...fragmentsOf(made(named('a.b')))[0]!].map((byte) => record(Buffer.of(byte)))),
      'more than 16 records',
    ],
    [
      'two names',
      made(extension(0, sized(Buffer.from('000001610000016200', 'hex').subarray(0, 8)))),
      'more than one',
    ],
    ['a name twice', made(Buffer.concat([named('a'), named('b')])), 'extension 0 twice'],
    ['a name of another kind', made(named('a', 1)), 'unknown kind'],
    ['no name at all', made(extension(0, Buffer.alloc(0))), 'cut short'],
    ['an empty name', made(named('')), 'a field of 0 bytes'],
    ['a name with a zero byte', made(named('a\0b')), 'no name'],
    ['a name that ends in a dot', made(named('a.')), 'no name'],
    ['a path for a name', made(named('../../etc')), 'no name'],
    ['half a suite', made(Buffer.alloc(0), { suites: Buffer.alloc(3) }), 'half a cipher suite'],
    [
      'a session that is too long',
      made(Buffer.alloc(0), { session: Buffer.alloc(33) }),
      'a field of 33 bytes',
    ],
    ['an empty protocol', made(extension(16, sized(Buffer.from('0000', 'hex')))), 'a field of 0 bytes'],
  ])('refuses %s', (_what, bytes, why) => {
    expect(parseClientHello(bytes)).toMatchObject({ state: 'wrong', why: expect.stringContaining(why) });
  });

  it('takes any bytes without throwing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        parseClientHello(Buffer.from(bytes));
        parseClientHello(Buffer.concat([Buffer.from('160301', 'hex'), Buffer.from(bytes)]));
        parseClientHello(made(Buffer.from(bytes)));
      }),
    );
  });
});
